"""The parts that a job meets: S3 (`--s3-endpoint URL`, or a local one), the API (`--mock-api`), or real ones (`--no-mock`)."""

import os
import uuid

import pytest
from classic import ClassicJob
from environment import mock_api, paceline, stats

from paceline.glue import main

RECORDS = 300


def test_records_on_s3_are_written_read_and_removed(aws, bucket):
    uri = f"s3://{bucket}/deep/down/records.csv"
    paceline("data", "generate", "--records", RECORDS, "--out", uri, **aws.environment)
    # Beside it lies what tells `data clean` that it may be deleted.
    assert aws.names(bucket) == ["deep/down/records.csv", "deep/down/records.csv.paceline-generated"]
    assert f"{RECORDS} " in paceline("data", "verify", uri, **aws.environment)
    paceline("data", "clean", uri, "--yes", **aws.environment)
    assert aws.names(bucket) == []


def test_an_output_on_s3_replaces_the_one_before(aws, bucket, api, on_aws):
    job = ClassicJob(aws, bucket, api, RECORDS)
    main(job.arguments("--rate_limit_calls", "unlimited"))
    first = set(aws.names(bucket, "output/records/part-"))
    main(job.arguments("--rate_limit_calls", "unlimited"))
    second = set(aws.names(bucket, "output/records/part-"))
    assert first and second and not first & second
    assert "every row is there exactly once" in job.verify()


def test_an_api_that_fails_is_asked_again(aws, bucket, on_aws):
    with mock_api("--latency-ms", "1", "--fail-percent", "5", "--reset-percent", "2") as api:
        job = ClassicJob(aws, bucket, api, RECORDS)
        patient = "paceline.api.default.retry_delay=10 ms --paceline-conf paceline.api.default.retry_max_attempts=10"
        report = main(job.arguments("--rate_limit_calls", "unlimited", "--paceline-conf", patient))
        assert report["retries"] > 0 and report["records_failed"] == 0
        assert stats(api)["requests"] == report["requests"]
    assert "every row is there exactly once" in job.verify()


def test_an_api_that_refuses_is_not_pressed(aws, bucket, on_aws):
    """Its own limit is lower than ours: it answers 429 with Retry-After, which is obeyed, and no record is lost."""
    with mock_api("--latency-ms", "1", "--rate-limit", "50", "--rate-limit-period", "1s") as api:
        job = ClassicJob(aws, bucket, api, 150)
        more = ["--paceline-conf", "paceline.api.default.retry_max_attempts=20"]
        report = main(job.arguments("--rate_limit_calls", "unlimited", *more))
        assert report["rate_limit_hits"] > 0 and report["records_failed"] == 0
    assert "every row is there exactly once" in job.verify()


@pytest.mark.real
def test_end_to_end(tmp_path):
    """Against a bucket and an API of the environment, with its credentials. What it wrote is removed, also when it fails."""
    missing = [name for name in ("S3_BUCKET", "API_ENDPOINT") if not os.environ.get(name)]
    if missing:
        pytest.skip(f"the environment does not say where the real endpoints are: set {' and '.join(missing)}")
    folder = f"s3://{os.environ['S3_BUCKET']}/paceline-test-{uuid.uuid4().hex}"
    source, output = f"{folder}/records.csv", f"{folder}/output/"
    try:
        paceline("data", "generate", "--records", 20, "--out", source)
        given = ["--source_key", source.split("/", 3)[3], "--output", output, "--rate_limit_calls", "10"]
        report = main(["script.py", *given, "--paceline-report", str(tmp_path / "report.json")])
        assert (report["records_read"], report["records_written"]) == (20, 20)
    finally:
        for place in (output, source):
            paceline("data", "clean", place, "--yes")
