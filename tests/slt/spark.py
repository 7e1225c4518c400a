"""Writes what Spark answers to the statements of tests/slt/spark/ into these files, or compares it with what is there.

    spark.py [--check] [FILE...]

A file begins with `# Title` and has sections `## name`. A statement ends with a line that ends in `;`. Then comes what Spark
answers: `= ` with the schema and a line `| ` for each row, as Spark's command line shows it, columns apart by tabs; or `! `
with the class of the error and a line `| ` for each line of the message. A backslash or a line break in a row is written with
a backslash. Lines `~ ` are what Paceline answers where that is something else: tests/slt/spark.rs writes and checks them, and
they are kept here. Needs pyspark 3.5.4 and Java 8, 11 or 17.
"""
import argparse
import os
import pathlib
import re
import shutil
import sys
import tempfile

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["PYSPARK_PYTHON"] = sys.executable

FOLDER = pathlib.Path(__file__).parent / "spark"
SPARK = "3.5.4"
# What no value has, to fetch rows in one piece.
BETWEEN = "\x01row\x02"


def blocks(text):
    """Pieces of a file in order: ("text", line) of headings and blanks, and ("statement", sql, answer, ours)."""
    found, statement = [], []
    for line in text.splitlines():
        if not statement and (line.startswith("#") or not line):
            found.append(("text", line))
        elif not statement and line.startswith("~ "):
            found[-1][3].append(line)
        elif not statement and (line.startswith(("= ", "! ", "| ")) or line == "|"):
            found[-1][2].append(line)
        else:
            statement.append(line)
            if line.endswith(";"):
                found.append(("statement", "\n".join(statement)[:-1], [], []))
                statement = []
    if statement:
        raise ValueError(f"a statement without an end: {statement}")
    return found


def escaped(row):
    return row.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")


def plain(value):
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def message(text):
    """Without the plan that Spark adds, and without what is new in each run."""
    text = re.sub(r"(?s);\n.*$", "", text)
    text = re.sub(r"#\d+L?", "#n", text)
    text = re.sub(r"file:/\S*/spark-warehouse", "file:/warehouse", text)
    return text.rstrip("\n")


class Spark:
    def __init__(self):
        from pyspark.sql import SparkSession

        self.warehouse = tempfile.mkdtemp()
        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": os.path.join(self.warehouse, "spark-warehouse"),
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.debug.maxToStringFields": "100000",
            "spark.sql.session.timeZone": "UTC",
            "spark.driver.extraJavaOptions": "-Duser.language=en -Duser.country=US -Duser.timezone=UTC",
            # Dates and times without the calendar of old, which would shift those before 1582.
            "spark.sql.datetime.java8API.enabled": "true",
            "spark.log.level": "OFF",
        }
        builder = SparkSession.builder.master("local[1]").appName("answers")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.root = builder.getOrCreate()
        self.root.sparkContext.setLogLevel("OFF")
        if self.root.version != SPARK:
            raise SystemExit(f"Spark {SPARK} is the judge, this is {self.root.version}")

    def fresh(self):
        self.session = self.root.newSession()
        # Values are shown under the settings of whatever session is active.
        self.root._jvm.org.apache.spark.sql.SparkSession.setActiveSession(self.session._jsparkSession)
        for statement in statements(FOLDER / "setup.sql"):
            self.session.sql(statement)

    def answer(self, statement):
        try:
            frame = self.session.sql(statement)
            plan = frame._jdf.queryExecution().executedPlan()
            if re.match(r"(?i)\s*(show|desc(ribe)?)\b", statement):
                # Hive would leave columns out and pad the others.
                rows = ["\t".join(plain(value) for value in row) for row in frame.collect()]
            else:
                rows = self.root._jvm.org.apache.spark.sql.execution.HiveResult.hiveResultString(plan)
                rows = rows.mkString(BETWEEN).split(BETWEEN) if rows.size() else []
            return [f"= {escaped(frame._jdf.schema().catalogString())}"] + [f"| {escaped(row)}" for row in rows]
        except Exception as error:  # every kind that Spark has
            return self.failure(error)

    def failure(self, error):
        error = getattr(error, "_origin", None) or getattr(error, "java_exception", None) or error
        if isinstance(error, Exception):
            raise error
        known = self.root._jvm.org.apache.spark.SparkThrowable._java_lang_class
        last = error
        while error is not None:
            if known.isInstance(error) and error.getErrorClass():
                break
            last, error = error, error.getCause()
        shown = error if error is not None else last
        kind = error.getErrorClass() if error is not None else last.getClass().getName()
        return [f"! {kind}"] + [f"| {line}".rstrip() for line in message(shown.getMessage() or "").split("\n")]

    def close(self):
        self.root.stop()
        shutil.rmtree(self.warehouse, ignore_errors=True)


def statements(path):
    return [piece[1] for piece in blocks(path.read_text(encoding="utf-8")) if piece[0] == "statement"]


def answered(spark, path):
    """The file with Spark's answers."""
    spark.fresh()
    lines = []
    for piece in blocks(path.read_text(encoding="utf-8")):
        if piece[0] == "text":
            lines.append(piece[1])
            continue
        _, sql, _, ours = piece
        lines += [f"{sql};", *spark.answer(sql), *ours]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where Spark says something else")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise SystemExit("Spark needs Java 8, 11 or 17, and there is none: install one, or set JAVA_HOME")
    spark = Spark()
    wrong = []
    try:
        for path in arguments.files or sorted(FOLDER.glob("*.test")):
            new = answered(spark, path)
            if new != path.read_text(encoding="utf-8"):
                wrong.append(path.name)
                if not arguments.check:
                    path.write_text(new, encoding="utf-8")
    finally:
        spark.close()
    if arguments.check and wrong:
        raise SystemExit(f"Spark answers otherwise in {', '.join(wrong)}: run tests/slt/spark.py and read the difference")
    print(f"Spark {SPARK} " + ("answers as the files say" if not wrong else f"was asked again: {', '.join(wrong)}"))


if __name__ == "__main__":
    main()
