"""A session whose plans run on a cluster of processes of their own: frames, rows, files, the classic job, its errors, and the choice."""

import subprocess
import sys
import warnings
from contextlib import contextmanager, suppress
from threading import Event, Thread

import datafusion
import pandas
import polars
import pyarrow
import pytest
from classic import ClassicJob
from environment import cluster, mock_api, paceline, stats

from paceline import APIError, ConfigurationError, QueryError, Session, SqlError, ValidationError, process

PEOPLE = pandas.DataFrame({"id": range(250), "email": [f"user{number}@example.com" for number in range(250)]})


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    """The URL of the cluster that all these tests share."""
    with cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
def session(at):
    return Session(cluster=at)


@pytest.mark.parametrize(
    "make",
    [pandas.DataFrame, pyarrow.table, polars.DataFrame, polars.LazyFrame, lambda rows: datafusion.SessionContext().from_pydict(rows)],
    ids=["pandas", "arrow", "polars", "polars-lazy", "datafusion"],
)
def test_frames_of_this_process_are_views_of_its_statements(session, at, make):
    assert session.cluster == at
    session.register("frame", make({"id": [1, 2, 3], "name": ["a", None, "c"]}))
    rows = session.sql("SELECT f.id, upper(name) AS name FROM frame f JOIN range(2, 9) r ON f.id = r.id ORDER BY f.id").collect()
    assert [tuple(row) for row in rows] == [(2, None), (3, "C")]
    session.register("frame", make({"id": [7], "name": ["x"]}))
    assert session.table("frame").to_arrow().to_pylist() == [{"id": 7, "name": "x"}]


def test_a_frame_of_many_batches_is_whole_and_in_order(session):
    session.register("many", pyarrow.table({"id": list(range(100_000))}))
    many = session.sql("SELECT id, id % 7 AS week FROM many")
    assert many.to_arrow().column("id").to_pylist() == list(range(100_000))
    assert many.count() == 100_000
    streamed = pyarrow.RecordBatchReader.from_stream(many)
    assert sum(batch.num_rows for batch in streamed) == 100_000
    grouped = session.sql("SELECT id % 7 AS week, count(*) AS n FROM many GROUP BY 1 ORDER BY 1").collect()
    assert [row.n for row in grouped] == [14286] * 5 + [14285] * 2


def test_a_frame_goes_on_to_datafusion(session):
    session.register("numbers", pyarrow.table({"a": [1, 2, 3]}))
    assert session.table("numbers").to_datafusion().filter(datafusion.col("a") > 1).sort("a").to_pydict() == {"a": [2, 3]}


def test_rows_are_written_by_the_executors_and_committed_from_here(session, tmp_path):
    session.register("people", PEOPLE)
    place = str(tmp_path / "out")
    assert session.sql("SELECT * FROM people WHERE id >= 50").write.mode("overwrite").parquet(place).records_written == 200
    assert (tmp_path / "out/_SUCCESS").exists()
    here = Session().sql(f"SELECT count(*) AS n, sum(id) AS s FROM parquet.`{place}`").collect()
    assert [tuple(row) for row in here] == [(200, sum(range(50, 250)))]


@pytest.mark.parametrize("format", ["record", "array"])
def test_process_gives_a_frame_back_in_the_order_of_its_records(at, api, format):
    answered = process(PEOPLE, api, format=format, batch_size=100, returns={"status": "STRING", "score": "DOUBLE"}, cluster=at)
    assert answered["id"].tolist() == PEOPLE["id"].tolist() and answered["email"].tolist() == PEOPLE["email"].tolist()
    assert set(answered["status"]) == {"ok"} and answered["score"].between(0, 1).all() and answered["_error"].isna().all()
    assert stats(api)["requests"] == 250 if format == "record" else stats(api)["requests"] < 250 / 10


def test_process_of_a_frame_may_let_the_first_answers_decide(at, api):
    answered = process(PEOPLE, api, cluster=at)
    assert answered["id"].tolist() == PEOPLE["id"].tolist()
    assert list(answered.columns) == ["id", "email", "status", "score", "_error"] and set(answered["status"]) == {"ok"}


def test_a_limit_over_a_frame_holds_below_a_call(session, at, api):
    """The first answers are asked for with such a limit, and executors then ask for theirs."""
    session.register("people", PEOPLE)
    assert len(session.sql("SELECT id + 1 AS next FROM (SELECT * FROM people LIMIT 100)").collect()) == 100
    process(PEOPLE, api, cluster=at)
    assert 250 <= stats(api)["requests"] <= 350


def test_process_goes_from_file_to_file_and_is_exact(at, api, tmp_path):
    paceline("data", "generate", "--records", 2000, "--out", tmp_path / "in.csv")
    report = process(tmp_path / "in.csv", api, output=tmp_path / "out", returns={"status": "STRING", "score": "DOUBLE"}, cluster=at)
    assert (report["state"], report["records_read"], report["records_written"]) == ("SUCCEEDED", 2000, 2000)
    assert "every row is there exactly once" in paceline("data", "verify", tmp_path / "in.csv", tmp_path / "out")
    assert stats(api)["requests"] == 2000


@pytest.mark.usefixtures("on_aws")
def test_process_goes_from_s3_to_s3_by_the_executors(aws, bucket, api, tmp_path):
    """They, too, belong to the local AWS, which the cluster of the other tests does not."""
    job = ClassicJob(aws, bucket, api, 2000)
    with cluster(tmp_path) as url:
        report = process(job.input, api, format="array", batch_size=500, cluster=url)
    assert (report["state"], report["records_written"], report["output"]) == ("SUCCEEDED", 2000, [job.output])
    assert "every row is there exactly once" in job.verify()


def test_the_executors_keep_one_limit_together(at):
    with mock_api("--latency-ms", "1", "--rate-limit", "100", "--rate-limit-period", "1s") as api:
        answered = process(PEOPLE, api, returns={"status": "STRING"}, rate_limit_calls=90, quota="ninety", cluster=at)
        arrived = stats(api)
    assert set(answered["status"]) == {"ok"} and arrived["requests"] == 250
    # What the network does to calls that were spaced may not reach the limit of the API, a tenth above ours.
    assert arrived["worst_period"] <= 100


def test_progress_is_what_the_executors_do(at, api):
    seen = []
    process(PEOPLE, api, returns={"status": "STRING"}, progress=seen.append, cluster=at)
    assert seen[-1]["requests"] == 250 == max(seen[-1]["replied"], seen[-1]["answered"])


def test_errors_have_the_classes_that_they_have_here(session, at, api):
    with pytest.raises(SqlError, match="nowhere"):
        session.sql("SELECT * FROM nowhere")
    ansi = Session(conf={"spark.sql.ansi.enabled": True}, cluster=at)
    with pytest.raises(QueryError, match="Division by zero"):
        ansi.sql("SELECT 1 / id AS x FROM range(2)").collect()
    with pytest.raises(ValidationError, match="status"):
        process(PEOPLE.head(3), api, returns={"status": "INT"}, on_error="fail", cluster=at)
    with mock_api("--fail-percent", "100") as failing, pytest.raises(APIError, match="enrich"):
        process(PEOPLE.head(3), failing, returns={"status": "STRING"}, on_error="fail", retry_max_attempts=1, cluster=at)
    assert session.sql("SELECT 1 AS a").collect()[0].a == 1, "the cluster goes on"


@contextmanager
def in_use(at, api, quota, calls):
    """A quota is called under by another session, with so many calls a second, as long as the block lasts."""
    called, enough = Event(), Event()

    def look(numbers):
        if numbers["requests"] > 0:
            called.set()
        if enough.is_set():
            raise InterruptedError

    other = Session(conf={"paceline.partitions": 1}, cluster=at, progress=look)  # which leaves room for others
    other.api_function("slow", "id BIGINT", "STRING", endpoint=api, rate_limit_calls=calls, quota=quota)

    def call():
        with suppress(InterruptedError):
            other.sql("SELECT slow(id) AS answer FROM range(100000)").collect()

    thread = Thread(target=call)
    thread.start()
    try:
        assert called.wait(60), "the other session calls nothing"
        yield
    finally:
        enough.set()
        thread.join(60)


def test_limits_that_differ_from_those_of_a_quota_in_use_are_a_setting_to_change(at, api):
    """Which one, both limits and what to do is said, and nothing of the task that found out."""
    with in_use(at, api, "both", 20), pytest.raises(ConfigurationError) as failed:
        process(PEOPLE, api, returns={"status": "STRING"}, rate_limit_calls=30, quota="both", cluster=at)
    said = "quota 'both' allows 20 calls per 1s for another function, this one says 30 calls per 1s: give both the same limits "
    assert str(failed.value) == said + "(rate_limit_calls and rate_limit_period, or rate_limits), or this one a quota of its own"
    assert failed.value.error_class == "INVALID_OPTIONS"


def test_process_has_nothing_to_do_with_the_limits_of_other_apis(at, api, tmp_path):
    people = PEOPLE.head(20)
    people.to_csv(tmp_path / "people.csv", index=False)
    with in_use(at, f"{api}/other", "enrich", 20):
        answered = process(people, api, returns={"status": "STRING"}, rate_limit_calls=30, cluster=at)
        report = process(tmp_path / "people.csv", api, output=tmp_path / "out", rate_limit_calls=30, cluster=at)
    assert set(answered["status"]) == {"ok"} and report["records_written"] == 20


INTERRUPTED = """
import os, signal, sys, paceline
seen = []
def interrupt(numbers):
    seen.append(numbers)
    if numbers["requests"] > 0 and numbers["in_flight"] >= 0 and len(seen) > 2:
        os.kill(os.getpid(), signal.SIGINT)
session = paceline.Session(cluster=sys.argv[1], progress=interrupt)
session.api_function("enrich", "id BIGINT", "STRING", endpoint=sys.argv[2], rate_limit_calls=20, quota="slow")
try:
    session.sql("SELECT enrich(id) AS answer FROM range(100000)").collect()
except KeyboardInterrupt:
    session._progress = False
    print("interrupted", session.sql("SELECT 1 AS a").collect())
"""


def test_ctrl_c_ends_what_runs_elsewhere(at, api):
    """All of it would take more than an hour."""
    command = [sys.executable, "-c", INTERRUPTED, at, api]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("interrupted [Row(a=1)]"), done.stderr


def test_auto_takes_the_cluster_that_is_named_if_it_answers(at, monkeypatch):
    monkeypatch.setenv("PACELINE_CLUSTER", "df://127.0.0.1:1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        named = Session(conf={"paceline.cluster.auto": at}, cluster="auto")
    assert named.cluster == at, "the setting wins over the environment"
    assert named.sql("SELECT 40 + 2 AS a").collect()[0].a == 42
    monkeypatch.setenv("PACELINE_CLUSTER", at)
    assert Session(conf={"paceline.cluster": "auto"}).cluster == at


def test_auto_is_this_process_with_a_warning_where_the_cluster_does_not_answer(monkeypatch):
    monkeypatch.setenv("PACELINE_CLUSTER", "df://127.0.0.1:1")
    with pytest.warns(UserWarning, match="cluster auto: embedded, because df://127.0.0.1:1 does not answer .*refused"):
        session = Session(cluster="auto")
    assert session.cluster is None and session.sql("SELECT 1 AS a").collect()[0].a == 1
    monkeypatch.setenv("PACELINE_CLUSTER", "http://127.0.0.1")
    with pytest.raises(ConfigurationError, match="PACELINE_CLUSTER: 'http://127.0.0.1' is no cluster"):
        Session(cluster="auto")
