"""The classic job in one call: `paceline.process`, with frames, with files, and with an API that fails."""

import io
import json
from contextlib import redirect_stderr

import pandas
import polars
import pyarrow
import pytest
from classic import ClassicJob
from environment import mock_api, stats

import paceline
from paceline import Session, process
from paceline.processor import quota_of

PEOPLE = pandas.DataFrame({"id": range(250), "email": [f"user{number}@example.com" for number in range(250)]})


@pytest.mark.parametrize("format", ["record", "array"])
def test_pandas_in_and_out(api, format):
    answered = process(PEOPLE, api, format=format, batch_size=100)
    assert answered["id"].tolist() == PEOPLE["id"].tolist(), "in the order of the records"
    assert list(answered.columns) == ["id", "email", "status", "score", "_error"]
    assert set(answered["status"]) == {"ok"} and answered["score"].between(0, 1).all() and answered["_error"].isna().all()
    # The first 100 answers, which say what the API answers, are not asked for again.
    assert stats(api)["requests"] == (250 if format == "record" else 3)


def test_many_batches_stay_in_order():
    many = pandas.DataFrame({"id": range(60_000)})
    with mock_api("--latency-ms", "1") as api:
        answered = process(many, api, format="array", returns={"status": "STRING"}, rate_limit_calls="unlimited")
    assert answered["id"].tolist() == list(range(60_000)) and answered["_error"].isna().all()


def test_a_declared_answer_is_taken_as_it_is(api):
    answered = process(PEOPLE.head(3), api, returns={"status": "STRING"})
    assert list(answered.columns) == ["id", "email", "status", "_error"]
    assert (
        process(PEOPLE.head(3), api, returns="STRING")["response"].map(json.loads).map(lambda answer: answer["status"]).tolist()
        == ["ok"] * 3
    )


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pyarrow.Table.from_pandas, pyarrow.Table),
        (polars.from_pandas, polars.DataFrame),
        (lambda people: polars.from_pandas(people).lazy(), polars.LazyFrame),
    ],
    ids=["arrow", "polars", "polars-lazy"],
)
def test_a_frame_comes_back_as_it_came(api, make, kind):
    answered = process(make(PEOPLE), api, format="array")
    assert isinstance(answered, kind)
    answered = answered.collect() if kind is polars.LazyFrame else answered
    rows = answered.to_pylist() if kind is pyarrow.Table else answered.to_dicts()
    assert [row["id"] for row in rows] == list(range(250)) and {row["status"] for row in rows} == {"ok"}


def test_a_dataframe_of_paceline_comes_back_lazy(api):
    session = Session()
    answered = process(session.sql("SELECT id FROM range(10)"), api, returns={"score": "DOUBLE"}, session=session)
    assert stats(api)["requests"] == 0
    assert answered.count() == 10 and len(answered.collect()) == 10
    assert stats(api)["requests"] == 20, "each time the rows are asked for"


def test_columns_that_the_answer_has_too_are_told_apart(api):
    answered = process(pandas.DataFrame({"id": [1], "Status": ["mine"]}), api)
    assert answered["Status"].tolist() == ["mine"] and answered["response_status"].tolist() == ["ok"]


def test_a_record_without_an_answer_stays_and_says_why():
    with mock_api("--latency-ms", "1", "--fail-percent", "100") as api:
        answered = process(PEOPLE.head(5), api, returns={"status": "STRING"}, retry_max_attempts=1)
    assert answered["status"].isna().all() and answered["_error"].str.startswith("http_5xx").all()


@pytest.mark.parametrize(
    ("flags", "options", "kind"),
    [
        (["--fail-percent", "100"], {"retry_max_attempts": 1}, paceline.APIError),
        (["--latency-ms", "2000"], {"retry_max_attempts": 1, "timeout": "50 ms"}, paceline.APITimeoutError),
        (["--rate-limit", "1", "--rate-limit-period", "1h"], {"retry_max_attempts": 2, "retry_delay": "1 ms"}, paceline.APIError),
        (["--reset-percent", "100"], {"retry_max_attempts": 1}, paceline.APIConnectionError),
        (
            ["--fail-percent", "100"],
            {
                "breaker": "consecutive",
                "breaker_failures": 1,
                "breaker_when_open": "give_up",
                "retry_max_attempts": 5,
                "retry_delay": "1 ms",
            },
            paceline.CircuitBreakerError,
        ),
    ],
    ids=["status", "timeout", "rate limit", "connection", "breaker"],
)
def test_the_first_failure_can_end_the_call(flags, options, kind):
    with mock_api(*flags) as api, pytest.raises(kind) as failed:
        process(PEOPLE.head(3), api, returns={"status": "STRING"}, on_error="fail", max_workers=1, batch_size=1, **options)
    assert isinstance(failed.value, paceline.APIError) and "API function 'enrich'" in str(failed.value)


def test_a_reply_that_is_not_as_declared(api):
    with pytest.raises(paceline.ValidationError, match="status"):
        process(PEOPLE.head(3), api, returns={"status": "INT"}, on_error="fail")


def test_too_many_failures_end_the_call():
    people = pandas.DataFrame({"id": range(3000)})
    with mock_api("--latency-ms", "0", "--fail-percent", "50") as api, pytest.raises(paceline.APIError, match="max_failed_percent"):
        process(people, api, returns={"status": "STRING"}, retry_max_attempts=1, breaker="off", rate_limit_calls="unlimited")


def test_the_pace_is_held():
    with mock_api("--latency-ms", "1") as api:
        session = Session()
        process(PEOPLE, api, returns={"status": "STRING"}, rate_limit_calls=100, rate_limit_period=0.5, session=session)
        assert stats(api)["requests"] == 250
    [limit] = session.progress()["limits"]
    assert limit["rate"].startswith("100 calls per 500ms")


@pytest.mark.parametrize(
    ("endpoint", "quota"),
    [
        ("https://api.example.com/process", "https://api.example.com/process"),
        ("HTTPS://API.example.com:443/process?key=1#part", "https://api.example.com/process"),
        ("https://api.example.com/Other/", "https://api.example.com/Other/"),
        ("https://api.example.com:80/process", "https://api.example.com:80/process"),
        ("http://api.example.com:80", "http://api.example.com/"),
        ("http://somebody@[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://h:port/", "http://h:port/"),
    ],
)
def test_an_endpoint_has_a_quota_however_it_is_written(endpoint, quota):
    assert quota_of(endpoint) == quota


def test_endpoints_of_a_session_have_limits_of_their_own(api, tmp_path):
    """Of frames and of files, with answers that decide on the columns, and of one host."""
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    session = Session()
    process(PEOPLE, f"{api}/a?key=1", rate_limit_calls=2000, session=session)
    process(tmp_path / "people.csv", f"{api}/b", output=tmp_path / "out", rate_limit_calls=1000, session=session)
    process(PEOPLE, f"{api}/c", rate_limit_calls=500, session=session)
    limits = {limit["quota"]: limit["rate"] for limit in session.progress()["limits"]}
    assert limits == {f"{api}/a": "2000 calls per 1s", f"{api}/b": "1000 calls per 1s", f"{api}/c": "500 calls per 1s"}


def test_an_endpoint_is_called_again_with_another_limit(api):
    session = Session()
    for number, returns in enumerate([None, None, {"status": "STRING"}, None]):
        answered = process(PEOPLE, f"{api}/again", returns=returns, rate_limit_calls=2000 + number, session=session)
        assert len(answered) == len(PEOPLE)
        assert [limit["rate"] for limit in session.progress()["limits"]] == [f"{2000 + number} calls per 1s"]


def test_a_quota_that_is_named_is_one_for_all(api, tmp_path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    session = Session()
    session.api_function("held", {"id": "BIGINT"}, "STRING", endpoint=f"{api}/held", rate_limit_calls=2000, quota="vendor")
    named = {"returns": {"status": "STRING"}, "quota": "vendor", "session": session}
    for data, more in [(PEOPLE, {}), (tmp_path / "people.csv", {"output": tmp_path / "out"})]:
        process(data, f"{api}/other", rate_limit_calls=2000, **named, **more)
        with pytest.raises(paceline.ConfigurationError, match="quota 'vendor' allows 2000 calls per 1s .* says 1000 calls per 1s"):
            process(data, f"{api}/third", rate_limit_calls=1000, **named, **more)
    assert [limit["quota"] for limit in session.progress()["limits"]] == ["vendor"]


def test_progress_is_a_bar_or_a_function(api):
    seen, bar = [], io.StringIO()
    process(PEOPLE, api, returns={"status": "STRING"}, rate_limit_calls=500, progress=seen.append)
    assert seen[-1]["replied"] == 250 and seen[-1]["requests"] == 250
    with redirect_stderr(bar):
        process(PEOPLE, api, returns={"status": "STRING"}, rate_limit_calls=500, progress=True)
    assert "250/250" in bar.getvalue() and "records" in bar.getvalue()


def test_arguments_that_make_no_sense_are_named(api):
    for arguments, words in [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"format": "xml"}, "xml"),
        ({"output": "/tmp/x"}, "output is for files"),
        ({"no_such_option": 1}, "no_such_option"),
        ({"rate_limit_calls": -5}, "rate_limit_calls"),
    ]:
        with pytest.raises(paceline.PacelineError, match=words):
            process(PEOPLE.head(1), api, returns={"status": "STRING"}, **arguments)
    with pytest.raises(paceline.ConfigurationError, match="no CSV file"):
        process("s3://bucket/records.parquet", api)
    with pytest.raises(paceline.ConfigurationError, match="output is missing"):
        process("/tmp/records.csv", api)
    with pytest.raises(paceline.ConfigurationError, match="has no records"):
        process(PEOPLE.head(0), api)


def test_files_on_s3(aws, bucket, api, on_aws):
    job = ClassicJob(aws, bucket, api, 2000)
    report = process(job.input, api, format="array", batch_size=500)
    assert report["state"] == "SUCCEEDED" and report["records_written"] == 2000 and report["output"] == [job.output]
    assert "2000" in job.verify()
    rows = Session().sql(f"SELECT count(DISTINCT id) AS ids, min(status) AS status FROM parquet.`{job.output}`").collect()
    assert [tuple(row) for row in rows] == [(2000, "ok")]


def test_local_files_and_dead_letters(tmp_path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    with mock_api("--latency-ms", "1", "--fail-percent", "4") as api:
        conf = {"paceline.api.enrich.retry_max_attempts": 1, "paceline.api.enrich.max_failed_percent": 100}
        report = process(tmp_path / "people.csv", api, output=tmp_path / "out", returns={"status": "STRING"}, conf=conf)
    assert report["records_failed"] == 10 and report["records_written"] == 240
    assert list((tmp_path / "out/_dead_letter").iterdir()), "they are beside the output"


def test_a_job_that_is_given_up_leaves_nothing(tmp_path, api):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)

    def stop(numbers):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process(tmp_path / "people.csv", api, output=tmp_path / "out", returns={"status": "STRING"}, rate_limit_calls=50, progress=stop)
    assert not (tmp_path / "out/_SUCCESS").exists() and not list((tmp_path / "out").glob("part-*"))
