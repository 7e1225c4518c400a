"""Sessions and DataFrames: statements, rows, Arrow, files, threads and Ctrl-C."""

import datetime
import decimal
import json
import os
import pickle
import signal
import subprocess
import sys
import threading

import pyarrow
import pytest

import paceline
from paceline import Row, Session


@pytest.fixture
def session():
    return Session()


def test_values_of_all_types_are_pythons(session):
    [row] = session.sql(
        """SELECT true AS t, 1Y AS b, 2S AS s, 3 AS i, 4L AS l, CAST(1.5 AS FLOAT) AS f, 2.5D AS d, 12345678901234567890.10BD AS dec,
                  'Ä' AS text, X'00FF' AS bin, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 12:30:00.5 UTC' AS at,
                  TIMESTAMP_NTZ '2024-02-29 12:30:00' AS local, INTERVAL '1 02:03:04' DAY TO SECOND AS took,
                  INTERVAL '1-2' YEAR TO MONTH AS months, array(1, NULL) AS list, map('k', 2) AS map,
                  named_struct('x', 1, 'y', array('z')) AS struct, NULL AS nothing"""
    ).collect()
    utc = datetime.timezone.utc
    assert tuple(row) == (
        *(True, 1, 2, 3, 4, 1.5, 2.5, decimal.Decimal("12345678901234567890.10")),
        *("Ä", b"\x00\xff", datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 30, 0, 500_000, utc)),
        *(datetime.datetime(2024, 2, 29, 12, 30), datetime.timedelta(days=1, hours=2, minutes=3, seconds=4)),
        *(14, [1, None], {"k": 2}, Row.of(("x", "y"))((1, ["z"])), None),
    )
    assert row.struct.y == ["z"] and row["struct"].as_dict() == {"x": 1, "y": ["z"]}
    assert row.as_dict(recursive=True)["struct"] == {"x": 1, "y": ["z"]}
    again = pickle.loads(pickle.dumps(row))  # noqa: S301, as multiprocessing does
    assert again == row and again.text == "Ä"
    with pytest.raises(AttributeError, match="has no 'other'"):
        assert row.other


def test_a_command_is_carried_out_at_once_and_a_query_when_it_is_asked(session):
    assert session.sql("CREATE TEMPORARY VIEW v AS SELECT 1 AS a").collect() == []
    shown = session.sql("SHOW COLUMNS IN v")
    assert [tuple(row) for row in shown.collect()] == [("a",)]
    df = session.sql("SELECT a / 0 AS x FROM v")  # of which nothing is computed
    assert df.collect()[0].x is None
    assert repr(df) == "DataFrame[x: double]" and df.columns == ["x"]


def test_rows_come_in_order_however_they_are_taken(session):
    df = session.sql("SELECT id, concat('row ', id) AS text FROM range(0, 100000, 1, 4)")
    table, streamed = df.to_arrow(), pyarrow.RecordBatchReader.from_stream(df)
    assert streamed.schema == table.schema == pyarrow.schema(df.schema)
    assert table.column("id").to_pylist() == list(range(100_000))
    assert streamed.read_all().equals(table)
    assert df.count() == 100_000 and df.limit(3).to_pandas()["text"].tolist() == ["row 0", "row 1", "row 2"]


def test_a_stream_is_computed_as_it_is_taken(session):
    """A result that would take 40 GB begins at once, and nobody computes what nobody takes."""
    reader = pyarrow.RecordBatchReader.from_stream(session.sql("SELECT id, repeat('x', 1000) AS text FROM range(40000000)"))
    batch = reader.read_next_batch()
    assert batch.num_rows > 0 and batch.column("id")[0].as_py() == 0


def test_rows_are_shown_as_spark_shows_them(session, capsys):
    session.sql("SELECT * FROM VALUES (1, NULL, array('a', 'b')), (22, 'a rather long text here', array()) AS t(n, text, list)").show()
    assert capsys.readouterr().out == (
        "+---+--------------------+------+\n"
        "|  n|                text|  list|\n"
        "+---+--------------------+------+\n"
        "|  1|                NULL|[a, b]|\n"
        "| 22|a rather long tex...|    []|\n"
        "+---+--------------------+------+\n"
        "\n"
    )
    session.sql("SELECT id FROM range(3)").show(2, truncate=False)
    assert capsys.readouterr().out == "+---+\n|id |\n+---+\n|0  |\n|1  |\n+---+\nonly showing top 2 rows\n\n"


def test_files_are_written_as_the_mode_says(session, tmp_path):
    df, place = session.sql("SELECT id, id % 2 AS odd FROM range(4)"), str(tmp_path / "out")
    assert df.write.partitionBy("odd").parquet(place).records_written == 4
    assert (tmp_path / "out/_SUCCESS").exists() and (tmp_path / "out/odd=1").is_dir()
    with pytest.raises(paceline.ConfigurationError, match="there are files"):
        df.write.parquet(place)
    assert df.write.mode("ignore").parquet(place).records_written == 0
    assert df.write.mode("append").partitionBy("odd").parquet(place).records_written == 4
    assert session.table(f"parquet.`{place}`").count() == 8
    df.write.mode("overwrite").option("header", True).csv(place)
    assert session.sql(f"SELECT count(*) AS n FROM csv.`{place}`").collect()[0].n == 4 + len(list((tmp_path / "out").glob("*.csv")))


def test_settings_are_the_command_lines_and_the_mistake_is_named():
    ansi = Session(conf={"spark.sql.ansi.enabled": True})
    with pytest.raises(paceline.QueryError, match="Division by zero") as failed:
        ansi.sql("SELECT 1 / 0").collect()
    assert failed.value.error_class == "DIVIDE_BY_ZERO"
    with pytest.raises(paceline.ConfigurationError, match="there is no setting 'paceline.cores'"):
        Session(conf={"paceline.cores": 1})
    with pytest.raises(paceline.ConfigurationError, match="df://HOST:PORT"):
        Session(cluster="http://127.0.0.1")


def test_a_cluster_that_is_not_there_is_said():
    with pytest.raises(paceline.PacelineError, match="127.0.0.1:1"):
        Session(cluster="df://127.0.0.1:1").sql("SELECT 1").collect()


def test_auto_is_this_process_where_no_cluster_is_named(monkeypatch):
    monkeypatch.delenv("PACELINE_CLUSTER", raising=False)
    session = Session(cluster="auto")
    assert session.cluster is None and session.sql("SELECT 1 AS a").collect()[0].a == 1


def test_errors_are_told_apart_and_say_why(session, tmp_path):
    for statement, kind, words in [
        ("SELECT 1 1 1", paceline.SqlError, "PARSE_SYNTAX_ERROR"),
        ("SELECT a FROM nowhere", paceline.SqlError, "nowhere"),
        (f"SELECT * FROM parquet.`{tmp_path}/none`", paceline.PacelineError, "none"),
    ]:
        with pytest.raises(kind, match=words):
            session.sql(statement)
    assert issubclass(paceline.APITimeoutError, paceline.APIError) and issubclass(paceline.S3ReadError, OSError)


def test_an_error_has_its_causes(session):
    """The first line says what happened; what libraries said is below it."""
    with pytest.raises(paceline.S3ReadError) as failed:
        Session(conf={"paceline.s3.endpoint": "http://127.0.0.1:1", "paceline.s3.anonymous": True}).sql("SELECT * FROM csv.`s3://b/k.csv`")
    assert "s3://b/k.csv" in str(failed.value) and failed.value.__cause__ is not None


def test_other_threads_run_while_the_engine_works(session):
    """The GIL is free: a thread counts while a query is computed."""
    counted, ended = [0], threading.Event()

    def count():
        while not ended.is_set():
            counted[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    before = counted[0]
    session.sql("SELECT sum(sqrt(id)) AS s FROM range(20000000)").collect()
    during = counted[0] - before
    ended.set()
    counter.join()
    assert during > 10_000


def test_several_threads_may_use_a_session(session):
    found = {}

    def ask(number):
        found[number] = session.sql(f"SELECT sum(id) AS s FROM range({number * 1000})").collect()[0].s

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: sum(range(number * 1000)) for number in range(1, 9)}


INTERRUPTED = """
import os, signal, sys, threading, paceline
seen = []
def interrupt(numbers):
    seen.append(numbers)  # the first are of the plan, the third of the rows
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGINT)
session = paceline.Session(progress=interrupt)
try:
    session.sql("SELECT count(*) FROM range(1000000) a CROSS JOIN range(1000000) b WHERE a.id * b.id % 7 = 11").collect()
except KeyboardInterrupt:
    print("interrupted", session.sql("SELECT 1 AS a").collect())
"""


def test_ctrl_c_ends_a_statement_and_the_session_stays():
    """The signal comes when the statement has begun, as its progress is asked for."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("interrupted [Row(a=1)]"), done.stderr


def test_a_child_that_was_forked_off_has_an_engine_of_its_own(session):
    assert session.sql("SELECT 1 AS a").collect()[0].a == 1
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if Session().sql("SELECT 2 AS a").collect()[0].a == 2 else 2
        finally:
            os._exit(code)
    signal.alarm(0)
    assert os.waitpid(child, 0)[1] == 0


def test_importing_takes_nothing_that_is_not_needed():
    said = subprocess.run(
        [sys.executable, "-c", "import sys, json, paceline; paceline.Session; print(json.dumps(list(sys.modules)))"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    assert not {"pandas", "pyarrow", "numpy", "tqdm", "datafusion", "pyspark", "paceline.glue"} & set(json.loads(said))
