"""The figures of a job, with BATCH_SIZE records a request (default 1000): speed, pace, memory, and what the API saw."""

import os

import pytest
from classic import ClassicJob
from environment import mock_api, stats

from paceline.glue import main

BATCH_SIZE = int(os.environ.get("BATCH_SIZE", "1000"))
RECORDS = 20_000
# Calls per second of the test of the pace. As many batches as there are take about a second and a half.
CALLS = 20
# Records a second that a debug build makes with ease, beside a loaded machine's other work.
LEAST_SPEED = 2_000
MOST_MEMORY = 600 << 20


@pytest.fixture(scope="module")
def figures(aws):
    """The report of one job, and what arrived at the API."""
    with aws.bucket() as bucket, mock_api("--latency-ms", "20") as api, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment.items():
            patch.setenv(name, value)
        job = ClassicJob(aws, bucket, api, RECORDS)
        more = ["--api_format", "array", "--batch_size", str(BATCH_SIZE), "--paceline-conf", "paceline.partitions=2"]
        report = main(job.arguments("--rate_limit_calls", "unlimited", *more))
        assert "every row is there exactly once" in job.verify()
        yield report, stats(api)


def test_a_request_carries_a_batch(figures):
    report, seen = figures
    # Of each batch of the reader (8192 rows at most) and partition one request may have fewer records.
    fewest, most = RECORDS // BATCH_SIZE, RECORDS // BATCH_SIZE + 2 * (RECORDS // 8192 + 2) + 2
    assert fewest <= report["requests"] <= most
    assert seen["requests"] == report["requests"]


def test_the_speed(figures, record_property):
    report, _ = figures
    speed = report["records_written"] / report["elapsed_s"]
    record_property("records_per_s", speed)
    assert report["records_written"] == RECORDS and speed > LEAST_SPEED


def test_the_memory(figures, record_property):
    report, _ = figures
    record_property("peak_rss_bytes", report["peak_rss_bytes"])
    assert 0 < report["peak_rss_bytes"] < MOST_MEMORY


def test_the_latency_is_the_apis(figures):
    report, _ = figures
    assert report["latency_ms"]["p50"] >= 20 and report["retries"] == report["rate_limit_hits"] == 0


def test_the_pace_of_batches(aws, bucket, api, on_aws):
    job = ClassicJob(aws, bucket, api, 30 * BATCH_SIZE)
    report = main(job.arguments("--api_format", "array", "--batch_size", str(BATCH_SIZE), "--rate_limit_calls", str(CALLS)))
    assert 0 < report["worst_period"] <= CALLS
    assert report["elapsed_s"] >= (report["requests"] - CALLS) / CALLS
    assert "every row is there exactly once" in job.verify()
