"""The classic job on this machine: records on S3 to the mock API, the answers beside them."""

import signal

import pytest
from classic import ClassicJob
from environment import stats
from launched import Launched, written_down

from paceline.glue import JobFailed, main

RECORDS = 300


@pytest.fixture
def job(aws, bucket, api, on_aws):
    return ClassicJob(aws, bucket, api, RECORDS)


def test_every_record_is_answered_once(job, aws):
    report = main(job.arguments("--rate_limit_calls", "2000"))
    assert (report["state"], report["records_read"], report["records_written"]) == ("SUCCEEDED", RECORDS, RECORDS)
    assert "every row is there exactly once" in job.verify()
    names = aws.names(job.bucket, "output/records/")
    assert "output/records/_SUCCESS" in names and any(name.endswith(".snappy.parquet") for name in names)


def test_the_pace_is_kept(job):
    report = main(job.arguments("--rate_limit_calls", "200"))
    assert 0 < report["worst_period"] <= 200
    # No more than the first 200 can be sent before the first second is over.
    assert report["elapsed_s"] >= (RECORDS - 200) / 200
    assert stats(job.api)["requests"] == report["requests"] >= RECORDS


def test_a_batch_is_one_request(job):
    report = main(job.arguments("--api_format", "array", "--batch_size", "100", "--paceline-conf", "paceline.partitions=1"))
    # The first hundred answers decide on the columns; they are asked for alone, and not again.
    assert report["records_written"] == RECORDS and report["requests"] < RECORDS / 10
    assert "every row is there exactly once" in job.verify()


def test_statements_take_the_place_of_the_classic_job(job, tmp_path):
    (tmp_path / "job.sql").write_text(f"""
        CREATE TEMPORARY VIEW records USING csv OPTIONS (path '${{input}}', header 'true', inferSchema 'true');
        CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
          USING API OPTIONS (endpoint '{job.api}', rate_limit_calls '2000');
        INSERT OVERWRITE DIRECTORY '{job.output}' USING parquet SELECT id, enrich(id, email).score AS score FROM records;""")
    given = ["--paceline-job", str(tmp_path / "job.sql"), "--paceline-var", f"input={job.input}"]
    assert main(["script.py", *given])["records_written"] == RECORDS


def test_statements_may_lie_on_s3(job, aws):
    aws.s3.put_object(Bucket=job.bucket, Key="job.sql", Body=b"SELECT 1 AS a;")
    assert main(["script.py", "--paceline-job", f"s3://{job.bucket}/job.sql"])["state"] == "SUCCEEDED"
    with pytest.raises(JobFailed, match="cannot read 's3://.*/none.sql' of --paceline-job: .*404"):
        main(["script.py", "--paceline-job", f"s3://{job.bucket}/none.sql"])


def test_a_job_that_is_not_complete_fails_and_says_why(job, aws):
    with pytest.raises(JobFailed, match="is not complete .exit code 1.: error: .*none.csv") as failed:
        main(job.arguments("--source_key", "none.csv"))
    assert failed.value.exit_code == 1
    assert not aws.names(job.bucket, "output/")


def test_buckets_do_not_outlive_a_test_that_fails(aws):
    with pytest.raises(ZeroDivisionError), aws.bucket() as name:
        aws.s3.put_object(Bucket=name, Key="in/records.csv", Body=b"id\n1\n")
        aws.s3.create_multipart_upload(Bucket=name, Key="unfinished")
        1 / 0  # noqa: B018
    assert name not in [bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]]


def test_a_classic_job_that_glue_tries_again_buys_no_answer_twice(job, aws, tmp_path, monkeypatch):
    job = ClassicJob(aws, job.bucket, job.api, 2 * RECORDS)
    given = [*job.arguments("--rate_limit_calls", "150")[1:], "--JOB_RUN_ID"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "first"))
    first = Launched(tmp_path, *given, "jr_1")
    written_down(first, lambda: [name for name in aws.names(job.bucket) if "/journal-" in name])
    first.process.kill()
    assert first.end()[0] == -signal.SIGKILL
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "second"))
    report = main(job.arguments("--rate_limit_calls", "150", "--JOB_RUN_ID", "jr_1_attempt_1"))
    assert report["job_id"] == "jr_1" and report["answers_reused"] > 0
    assert "every row is there exactly once" in job.verify()
