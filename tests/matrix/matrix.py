"""Compares what Paceline reads and writes with what Spark 3.5.4 reads and writes, all types, formats and options.

    matrix.py PACELINE [--corpus] [--only WORD]

Spark writes and Paceline reads: the rows that Paceline found, written by it as Parquet, must be what Spark finds in the same
files, with the same types. Paceline writes and Spark reads: the files of text formats must be the same byte for byte, all
others must give the same rows. PACELINE is the program. --corpus writes tests/matrix/corpus/ anew, which `make test` reads
without Spark. Needs pyspark 3.5.4 and Java 8, 11 or 17.
"""
import argparse
import bz2
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["PYSPARK_PYTHON"] = sys.executable

from pyspark.sql import SparkSession  # noqa: E402

HERE = pathlib.Path(__file__).parent

ALL_TYPES = r"""
SELECT * FROM VALUES
 (1, true, 1Y, 1S, 1, 1L, 1.5F, 1.5D, 1.25BD, CAST(12345678.1234 AS DECIMAL(18,4)), CAST(1 AS DECIMAL(38,10)), 'plain', X'00FF',
  DATE'2024-02-29', TIMESTAMP'2024-02-29 12:34:56.789012', TIMESTAMP_NTZ'2024-02-29 12:34:56.789012',
  INTERVAL '1-2' YEAR TO MONTH, INTERVAL '1 02:03:04.000005' DAY TO SECOND, array(1, NULL, 3), map('k', 1, 'l', NULL),
  named_struct('a', 1, 'b', 'x'), array(named_struct('c', 1.5D))),
 (2, false, CAST(-128 AS TINYINT), CAST(-32768 AS SMALLINT), CAST(-2147483648 AS INT), CAST("-9223372036854775808" AS BIGINT), CAST('NaN' AS FLOAT), CAST('-Infinity' AS DOUBLE), -1.25BD,
  CAST(-0.0001 AS DECIMAL(18,4)), CAST('-1234567890123456789012345678.0123456789' AS DECIMAL(38,10)), 'a "quoted", text', X'',
  DATE'1969-12-31', TIMESTAMP'1969-12-31 23:59:59.999999', TIMESTAMP_NTZ'1969-12-31 23:59:59.999999',
  INTERVAL '-1-2' YEAR TO MONTH, INTERVAL '-1 02:03:04.000005' DAY TO SECOND, array(), map(), named_struct('a', NULL, 'b', ''),
  array(NULL)),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, true, 127Y, 32767S, 2147483647, 9223372036854775807L, 3.4028234E38F, 1.7976931348623157E308D, 9.99BD, 0.0BD, 0.0BD, '', X'41',
  DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59', TIMESTAMP_NTZ'9999-12-31 23:59:59', INTERVAL '0-0' YEAR TO MONTH,
  INTERVAL '0 00:00:00' DAY TO SECOND, array(7), map('ö', 9), named_struct('a', 7, 'b', 'é'), array(named_struct('c', NULL))),
 (5, false, 0Y, 0S, 0, 0L, -0.0F, 1.0E-5D, 0.5BD, 1.0BD, 0.0000000001BD, ' spaces\\ and\ttab\nline ', X'C3', DATE'1900-01-01',
  TIMESTAMP'1900-01-01 00:00:00', TIMESTAMP_NTZ'1900-01-01 00:00:00', INTERVAL '0-11' YEAR TO MONTH,
  INTERVAL '0 00:00:01.5' DAY TO SECOND, array(1, 2), map('a', 1), named_struct('a', 0, 'b', NULL), array()),
 (6, false, 0Y, 0S, 0, 0L, 1.0E7F, 1.2345678E7D, 0.5BD, 1.0BD, 1.0BD, '#hash|bar;semi', X'C3', DATE'2000-01-01',
  TIMESTAMP'2000-01-01 00:00:00', TIMESTAMP_NTZ'2000-01-01 00:00:00.1', INTERVAL '0-11' YEAR TO MONTH,
  INTERVAL '0 00:00:01.5' DAY TO SECOND, array(1, 2), map('a', 1), named_struct('a', 0, 'b', NULL), array())
AS t(id, bool, byte, short, int, long, float, double, dec9, dec18, dec38, str, bin, day, at, local, ym, dt, list, dict, rec, recs)
"""
PLAIN = "id, bool, byte, short, int, long, float, double, dec9, dec18, dec38, str, day, at".split(", ")
INTERVALS = ["ym", "dt"]
NESTED = ["list", "dict", "rec", "recs"]
# Paceline writes, but does not read, what these make of a text file.
NOT_READ = ["deflate", "snappy", "lz4"]
ALL = PLAIN + ["local", "bin"] + INTERVALS + NESTED

# (format, columns, options): how both write.
WRITES = [
    ("parquet", ALL, {}),
    *[("parquet", PLAIN, {"compression": codec}) for codec in ["none", "gzip", "zstd", "lz4", "lz4_raw"]],
    ("json", PLAIN + INTERVALS + NESTED, {}),
    ("json", PLAIN + ["bin"] + NESTED, {"ignoreNullFields": "false"}),
    ("json", PLAIN, {"dateFormat": "dd/MM/yyyy", "timestampFormat": "yyyy-MM-dd HH:mm:ss.SSSSSS", "lineSep": "\n"}),
    ("json", [*PLAIN, "local"], {"timestampNTZFormat": "dd.MM.yyyy HH:mm", "compression": "gzip"}),
    ("csv", [*PLAIN, "local", *INTERVALS], {}),
    ("csv", PLAIN, {}),
    ("csv", PLAIN, {"header": "true", "sep": "|"}),
    ("csv", PLAIN, {"header": "true", "sep": "\t", "quoteAll": "true"}),
    ("csv", PLAIN, {"nullValue": "NA", "emptyValue": "EMPTY"}),
    ("csv", PLAIN, {"escapeQuotes": "false", "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}),
    ("csv", PLAIN, {"escape": "~", "quote": "~", "lineSep": "\n"}),
    ("csv", PLAIN, {"sep": ";", "dateFormat": "dd.MM.yyyy", "timestampFormat": "dd.MM.yyyy HH:mm:ss"}),
    *[("csv", PLAIN, {"compression": codec}) for codec in ["gzip", "bzip2", "deflate", "snappy", "lz4"]],
    ("text", ["str"], {}),
    ("text", ["str"], {"lineSep": "|", "compression": "gzip"}),
    ("orc", [c for c in PLAIN if not c.startswith("dec") and c != "at"] + ["bin"], {}),
    *[("orc", ["id", "str", "day"], {"compression": codec}) for codec in ["none", "zlib", "zstd", "lz4"]],
    ("orc", ALL, {"only": "read"}),
    ("orc", ALL, {"only": "read", "compression": "zlib"}),
]

FLAT = "id INT, bool BOOLEAN, byte TINYINT, short SMALLINT, int INT, long BIGINT, float FLOAT, double DOUBLE, dec9 DECIMAL(3,2), " \
    "dec18 DECIMAL(18,4), dec38 DECIMAL(38,10), str STRING, day DATE, at TIMESTAMP"

# (name, format, options, declared columns, files): texts that Spark did not write, which both read.
READS = [
    ("typed", "csv", {"header": "true", "inferSchema": "true"}, "", {"a.csv": "a,b,c,d,e\n1,1.5,x,2024-01-02,true\n2,,\"\",2024-01-03,\n"}),
    ("times", "csv", {"header": "true", "inferSchema": "true", "dateFormat": "dd/MM/yyyy", "timestampFormat": "dd/MM/yyyy HH:mm"},
     "", {"a.csv": "d,t\n01/02/2024,01/02/2024 10:11\n03/04/2024,05/06/2024 07:08\n"}),
    ("formats", "csv", {"dateFormat": "dd.MM.yyyy", "timestampFormat": "yyyy/MM/dd HH:mm:ss", "timestampNTZFormat": "yyyyMMdd"},
     "d DATE, t TIMESTAMP, s STRING", {"a.csv": "01.02.2024,2024/02/03 04:05:06,x\n31.12.1999,,y\nbad,bad,z\n"}),
    ("lines", "csv", {"lineSep": ";"}, "a INT, b STRING", {"a.csv": "1,x;2,y;3,\"z\""}),
    ("corrupt", "csv", {"columnNameOfCorruptRecord": "bad"}, "a INT, b INT, bad STRING", {"a.csv": "1,2\nx,3\n4\n5,6,7\n"}),
    ("drop", "csv", {"mode": "DROPMALFORMED"}, "a INT, b INT", {"a.csv": "1,2\nx,3\n4\n5,6,7\n8,9\n"}),
    ("numbers", "csv", {"nanValue": "nan", "positiveInf": "+oo", "negativeInf": "-oo", "nullValue": "-"},
     "a DOUBLE, b FLOAT, c STRING", {"a.csv": "nan,+oo,-\n-oo,nan,x\n1.5,-,\n"}),
    ("sampled", "csv", {"inferSchema": "true", "samplingRatio": "1.0"}, "", {"a.csv": "1\n2.5\n3\n"}),
    ("inferred", "json", {}, "", {"a.json": '{"b":1,"a":{"y":[1,2.5],"x":null},"e":{},"s":""}\n\n{"b":12345678901234567890,"c":"2024-01-02","d":true}\n'}),
    ("mixed", "json", {}, "", {"a.json": '{"a":1}\n{"a":"x"}\n{"a":{"b":1}}\n{"a":[1]}\n'}),
    ("broken", "json", {}, "", {"a.json": '{"a":1}\n{"a":\nplain\n{"a":2}\n[{"a":3},{"a":4}]\n[]\nnull\n'}),
    ("broken_declared", "json", {}, "a INT, _corrupt_record STRING",
     {"a.json": '{"a":1}\n{"a":\nplain\n{"a":"x"}\n[{"a":3},{"a":4}]\n[]\nnull\n{"a":5}{"a":6}\n7\n"s"\n'}),
    ("dropped", "json", {"mode": "DROPMALFORMED"}, "a INT, b STRING", {"a.json": '{"a":1,"b":"x"}\n{"a":"x","b":"y"}\nplain\n{"b":3}\n'}),
    ("partial", "json", {}, "a INT, b STRUCT<c: INT, d: STRING>, e ARRAY<INT>, f MAP<STRING, INT>",
     {"a.json": '{"a":"x","b":{"c":"no","d":"yes"},"e":[1,"x",3],"f":{"k":1,"l":"x"}}\n{"a":1,"b":{"c":1},"e":[],"f":{}}\n'
                '{"a":1.0,"b":[],"e":{},"f":[]}\n'}),
    ("multi", "json", {"multiLine": "true"}, "", {"a.json": '[{"a":1,\n "b":"x"},\n {"a":2}]', "b.json": '{"a":3,\n"b":"y"}'}),
    ("loose", "json", {"allowComments": "true", "allowUnquotedFieldNames": "true", "allowNumericLeadingZeros": "true",
                       "allowBackslashEscapingAnyCharacter": "true"}, "",
     {"a.json": "/* c */ {a: 007, 'b': 'x\\q'} // end\n{a: 1}\n"}),
    ("strict", "json", {"allowSingleQuotes": "false"}, "a STRING, _corrupt_record STRING", {"a.json": "{'a': 'x'}\n{\"a\": \"y\"}\n"}),
    ("strings", "json", {"primitivesAsString": "true"}, "", {"a.json": '{"a":1,"b":true,"c":1.50,"d":{"e":2}}\n'}),
    ("decimals", "json", {"prefersDecimal": "true"}, "", {"a.json": '{"a":1.5,"b":12345678901234567890,"c":"2.25"}\n{"a":22.25,"b":1,"c":"3"}\n'}),
    ("nulls", "json", {"dropFieldIfAllNull": "true"}, "", {"a.json": '{"a":null,"b":[],"c":{"d":null},"e":1}\n'}),
    ("json_times", "json", {"dateFormat": "dd/MM/yyyy", "timestampFormat": "dd/MM/yyyy HH:mm:ss"}, "d DATE, t TIMESTAMP",
     {"a.json": '{"d":"01/02/2024","t":"01/02/2024 03:04:05"}\n{"d":"x","t":5}\n'}),
    ("json_instants", "json", {}, "d DATE, t TIMESTAMP, f FLOAT, g DOUBLE, h DECIMAL(5,2), i BIGINT, b BOOLEAN, s STRING",
     {"a.json": '{"d":"2024-01-02","t":"2024-01-02T03:04:05.678+02:00","f":1,"g":"NaN","h":1.005,"i":9223372036854775807,"b":true,"s":1.0}\n'
                '{"d":"2024-1-2","t":1700000000,"f":"Infinity","g":1e400,"h":"12.3","i":1.0,"b":"true","s":{"x": [1, 2]}}\n'
                '{"d":20240102,"t":1.5,"f":NaN,"g":-Infinity,"h":12345.6,"i":9223372036854775808,"b":1,"s":[true, null]}\n'}),
    ("inferred_times", "json", {"inferTimestamp": "true"}, "", {"a.json": '{"a":"2024-01-02T03:04:05Z","b":"x"}\n{"a":"2024-01-02"}\n'}),
    ("names", "json", {}, "", {"a.json": '{"a":1,"b c":3,"d.e":4}\n'}),
    ("doubled", "json", {}, "a INT", {"a.json": '{"a":1,"a":2}\n'}),
    ("lines", "json", {"lineSep": "|"}, "", {"a.json": '{"a":1}|{"a":\n2}|'}),
    ("lines", "text", {}, "", {"a.txt": "one\n\ntwo\r\nthree\rfour", "_hidden": "no", ".hidden": "no"}),
    ("separated", "text", {"lineSep": "--"}, "", {"a.txt": "one--two\nthree----four"}),
    ("whole", "text", {"wholetext": "true"}, "", {"a.txt": "one\ntwo\n"}),
    ("bytes", "binaryFile", {"columns": "path, length, content"}, "", {"a.bin": "\x00\x01abc", "b.txt": ""}),
    ("globbed", "text", {"pathGlobFilter": "*.{txt,log}"}, "", {"a.txt": "one\n", "b.csv": "two\n", "c.log": "three\n"}),
    ("nested", "text", {"recursiveFileLookup": "true"}, "", {"a.txt": "one\n", "x/b.txt": "two\n", "x=1/c.txt": "three\n"}),
    ("flat", "text", {}, "", {"a.txt": "one\n", "x/b.txt": "two\n"}),
    ("pattern", "text", {"path": "{folder}/p*/[ab].txt"}, "", {"p1/a.txt": "one\n", "p2/b.txt": "two\n", "p3/c.txt": "no\n", "q/a.txt": "no\n"}),
    ("based", "text", {"path": "{folder}/day=1", "basePath": "{folder}"}, "", {"day=1/a.txt": "one\n", "day=2/a.txt": "two\n"}),
    ("partitions", "text", {}, "", {"day=2024-01-02/n=1/a.txt": "one\n", "day=2024-01-03/n=2/a.txt": "two\n"}),
    ("after", "text", {"modifiedAfter": "2001-01-01T00:00:00", "modifiedBefore": "2099-01-01T00:00:00"}, "", {"a.txt": "one\n"}),
]


class Matrix:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.spark = (
            SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
            .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC").getOrCreate()
        )
        self.spark.sparkContext.setLogLevel("OFF")
        self.differences, self.same = [], 0

    def data(self, columns):
        return self.spark.sql(ALL_TYPES).select(*columns).coalesce(1)

    def read(self, path, format, options, declared=""):
        reader = self.spark.read.format(format).options(**options)
        if declared:
            reader = reader.schema(declared)
        return reader.load(str(path)) if path else reader.load()

    def paceline(self, statements):
        job = self.folder / "job.sql"
        job.write_text(";\n".join(statements) + ";\n")
        done = subprocess.run([self.program, "run", str(job)], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PACELINE_LOG": "off"})
        return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip())[-400:]

    def report(self, name, wrong):
        if wrong:
            self.differences.append(name)
            print(f"DIFFERENT {name}\n    " + "\n    ".join(str(line)[:600] for line in wrong), flush=True)
        else:
            self.same += 1

    def writes(self, format, columns, options):
        name = f"{format} {options or ''} of {len(columns)} columns"
        options = dict(options)
        only = options.pop("only", "")
        spark, ours, source = (self.fresh(part) for part in ["spark", "ours", "source"])
        self.data(columns).write.format(format).options(**options).save(str(spark))
        self.data(columns).write.parquet(str(source))
        if not only:
            failed = self.paceline([
                f"CREATE TEMPORARY VIEW v USING parquet OPTIONS (path '{source}')",
                f"INSERT OVERWRITE DIRECTORY '{ours}' USING {format} {options_of(options)} SELECT * FROM v",
            ])
            self.report("write " + name, [failed] if failed else self.same_files(format, options, spark, ours))
        if options.get("compression") not in NOT_READ or format in ("parquet", "orc"):
            self.reads("of Spark, " + name, format, read_options(options, format), spark, declared_of(format, columns))

    def same_files(self, format, options, spark, ours):
        def one(folder):
            files = [file for file in folder.iterdir() if file.name.startswith("part-")]
            return files[0] if len(files) == 1 else None
        theirs, mine = one(spark), one(ours)
        if not theirs or not mine:
            return [f"files: {sorted(f.name for f in ours.iterdir())}"]
        ending = lambda file: file.name.split("-c000")[1]
        if ending(theirs) != ending(mine):
            return [f"name: Spark {theirs.name}, Paceline {mine.name}"]
        if format in ("csv", "json", "text") and not set(options.values()) & {"snappy", "lz4"}:
            one, two = plain(theirs), plain(mine)
            lines = list(zip(one.split("\n"), two.split("\n")))
            return [pair for line in lines if line[0] != line[1] for pair in (f"Spark    {line[0]}", f"Paceline {line[1]}")] or \
                ([] if one == two else ["the lengths differ"])
        wanted = read_options(options, format)
        return self.same_rows(self.read(spark, format, wanted), self.read(ours, format, wanted))

    def reads(self, name, format, options, path, declared):
        """Both read the same files."""
        columns = options.pop("columns", "*") if "columns" in options else "*"
        options = {key: value.replace("{folder}", str(path)) for key, value in options.items()}
        ours = self.fresh("read")
        try:
            frame = self.read(None if "path" in options else path, format, options, declared).selectExpr(*columns.split(", "))
            # Where nothing else is asked for, a record that is malformed is no error in Spark either.
            frame = frame.cache() if "_corrupt_record" in frame.columns else frame
            expected = (frame.schema, frame.collect())
        except Exception as error:  # noqa: BLE001
            expected = str(error).split("\n")[0][:200]
        paths = {} if "path" in options else {"path": str(path)}
        failed = self.paceline([
            f"CREATE TEMPORARY VIEW v {'(' + declared + ')' if declared else ''} USING {format} {options_of({**paths, **options})}",
            f"INSERT OVERWRITE DIRECTORY '{ours}' USING parquet SELECT {columns} FROM v",
        ])
        if isinstance(expected, str) or failed:
            wrong = [] if isinstance(expected, str) and failed else [f"Spark: {expected}", f"Paceline: {failed}"]
            self.report("read " + name, wrong)
            return
        self.report("read " + name, self.same_rows(expected, self.spark.read.parquet(str(ours))))

    def same_rows(self, expected, found):
        schema, rows = expected if isinstance(expected, tuple) else (expected.schema, expected.collect())
        wrong = []
        if schema.simpleString() != found.schema.simpleString():
            wrong += [f"Spark    {schema.simpleString()}", f"Paceline {found.schema.simpleString()}"]
        one, two = sorted(map(shown, rows)), sorted(map(shown, found.collect()))
        if one != two:
            only = [f"Spark    {row}" for row in one if row not in two] + [f"Paceline {row}" for row in two if row not in one]
            wrong += only or [f"{len(one)} rows in Spark, {len(two)} in Paceline"]
        return wrong

    def fresh(self, name):
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def corpus(self, only):
        """Small files that Spark wrote, and what Spark reads from them: types and rows as JSON."""
        home = HERE / "corpus"
        if not only:
            shutil.rmtree(home, ignore_errors=True)
        for number, (format, columns, options) in enumerate(WRITES):
            if only not in f"written {format}" or format == "csv" and options.get("compression") in NOT_READ:
                continue
            written = None if options.get("only") == "read" else {"columns": columns, "options": options}
            options = {key: value for key, value in options.items() if key != "only"}
            folder = self.fresh("spark")
            self.data(columns).write.format(format).options(**options).save(str(folder))
            declared = declared_of(format, columns)
            self.keep(home / f"written-{number:02}-{format}", format, read_options(options, format), declared, folder, written)
        for name, format, options, declared, files in READS:
            if format == "binaryFile" or "path" in options or only not in f"given {format}":
                continue
            folder = self.fresh("files")
            write_files(folder, files)
            self.keep(home / f"given-{format}-{name}", format, dict(options), declared, folder)

    def keep(self, home, format, options, declared, folder, written=None):
        try:
            frame = self.read(folder, format, options, declared)
            frame = frame.cache() if "_corrupt_record" in frame.columns else frame
            rows = self.fresh("rows")
            frame.coalesce(1).write.option("ignoreNullFields", "false").json(str(rows))
        except Exception:  # noqa: BLE001
            return
        lines = sorted(next(rows.glob("part-*")).read_text().splitlines())
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(folder, home / "files", ignore=shutil.ignore_patterns("*.crc"))
        case = {"format": format, "options": options, "declared": declared, "schema": frame.schema.simpleString()}
        if written:
            case["written"] = written
        (home / "case.json").write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n")
        (home / "rows.jsonl").write_text("".join(line + "\n" for line in lines))


def options_of(options):
    # Without backslashes and quotes, which are not the same in every SQL.
    quoted = [f"{key} '{value}'" for key, value in options.items()]
    return f"OPTIONS ({', '.join(quoted)})" if quoted else ""


def declared_of(format, columns):
    """CSV and JSON say no types, so these columns are declared."""
    return FLAT if format in ("csv", "json") and columns == PLAIN else ""


def read_options(options, format):
    only_written = {"compression", "quoteAll", "escapeQuotes", "ignoreNullFields", "emptyValue"}
    return {key: value for key, value in options.items() if key not in only_written}


def plain(file):
    data = file.read_bytes()
    if file.suffix == ".gz":
        data = gzip.decompress(data)
    elif file.suffix == ".bz2":
        data = bz2.decompress(data)
    elif file.suffix == ".deflate":
        data = zlib.decompress(data)
    return data.decode(errors="replace")


def shown(row):
    return repr(row)


def write_files(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", nargs="?", default="target/debug/paceline")
    arguments.add_argument("--corpus", action="store_true")
    arguments.add_argument("--only", default="")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(os.path.abspath(given.program), pathlib.Path(folder))
        if given.corpus:
            matrix.corpus(given.only)
            return 0
        for format, columns, options in WRITES:
            if given.only in f"{format} {options}":
                matrix.writes(format, columns, options)
        for name, format, options, declared, files in READS:
            if given.only in f"{format} {name}":
                path = matrix.fresh("files")
                write_files(path, files)
                matrix.reads(f"{format} {name}", format, dict(options), path, declared)
    print(f"{matrix.same} the same, {len(matrix.differences)} different")
    return 1 if matrix.differences else 0


if __name__ == "__main__":
    sys.exit(main())
