"""A job's numbers reach CloudWatch under the Python job's names, sum up to what the job did, and never fail it."""

import datetime
import json

from conftest import RECORDS, keys
from servers import Api


FLAGS = ["--conf", "spark.app.name=nightly", "--conf", "paceline.api.default.max_failed_percent=100", "--report", "report.json"]
PUBLISHED = [*FLAGS, "--conf", "paceline.cloudwatch.namespace=SparkProcessing", "--conf", "paceline.cloudwatch.interval=1"]


def summed(aws, name, namespace="SparkProcessing", **dimensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    wanted = [{"Name": key, "Value": value} for key, value in ({"JobName": "nightly"} | dimensions).items()]
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=wanted, StartTime=now - hour, EndTime=now + hour,
        Period=3600, Statistics=["Sum", "Maximum"])
    return sum(point["Sum"] for point in found["Datapoints"])


def test_what_cloudwatch_has_is_what_the_job_did(aws, paceline):
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *PUBLISHED), **keys(aws.url))
    assert code == 0, said
    report = paceline.report()
    assert (report["records_written"], report["records_failed"]) == (RECORDS - RECORDS // 10, RECORDS // 10)
    assert summed(aws, "ProcessedRecords") == RECORDS
    assert summed(aws, "FailedRecords") == report["records_failed"]
    assert summed(aws, "RetryCount") == report["retries"]
    assert summed(aws, "Errors", ErrorType="http_4xx") == report["records_failed"]
    names = {metric["MetricName"] for metric in aws.client("cloudwatch").list_metrics(Namespace="SparkProcessing")["Metrics"]}
    assert {"SuccessRate", "ProcessingSpeed", "APILatencyAvg", "AverageBatchSize", "BreakerOpen", "MemoryUtilization"} <= names


def test_a_cloudwatch_that_is_not_there_fails_nothing(aws, paceline):
    with Api() as api:
        env = keys(aws.url) | {"AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:9"}
        code, said = paceline.run(*paceline.job(aws, api.url, *PUBLISHED), **env)
    assert code == 0, said
    assert "CloudWatch does not take the job's metrics" in said


def test_the_embedded_metric_format_says_the_same(aws, paceline):
    with Api() as api:
        flags = [*PUBLISHED, "--conf", "paceline.cloudwatch.emf=true"]
        code, output, said = paceline.run_and_read(*paceline.job(aws, api.url, *flags), **keys(aws.url))
    assert code == 0, said
    lines = [json.loads(line) for line in output.splitlines() if line.startswith('{"_aws"')]
    assert sum(line.get("ProcessedRecords", 0) for line in lines) == RECORDS
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "SparkProcessing" for line in lines)


def test_glue_s_names_are_there_where_they_are_asked_for(aws, paceline):
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *FLAGS, "--conf", "paceline.cloudwatch.glue=true"), **keys(aws.url))
    assert code == 0, said
    client = aws.client("cloudwatch")
    ours = [metric for metric in client.list_metrics(Namespace="Glue")["Metrics"] if {"Name": "JobName", "Value": "nightly"} in metric["Dimensions"]]
    names = {metric["MetricName"] for metric in ours}
    aggregate = "glue.driver.aggregate."
    wanted = {aggregate + name for name in ("elapsedTime", "numCompletedStages", "numCompletedTasks", "recordsRead", "bytesRead", "shuffleLocalBytesRead", "shuffleRemoteBytesRead")}
    gauges = ("driver.jvm.heap.usage", "ALL.jvm.heap.usage", "driver.s3.filesystem.read_bytes", "driver.s3.filesystem.write_bytes", "driver.system.cpuSystemLoad")
    assert wanted | {f"glue.{name}" for name in gauges} <= names
    size = aws.s3.head_object(Bucket=aws.source, Key="records.csv")["ContentLength"]
    of_all = lambda name, kind: summed(aws, f"glue.driver.{name}", "Glue", JobRunId="ALL", Type=kind)
    assert of_all("aggregate.recordsRead", "count") == RECORDS
    # The ends of lines are read with the part before and with the part behind them.
    assert size // 2 < of_all("aggregate.bytesRead", "count") <= 2 * size
    assert of_all("s3.filesystem.read_bytes", "gauge") >= size and of_all("s3.filesystem.write_bytes", "gauge") > 0
    for metric in ours:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        kind = "count" if "aggregate" in metric["MetricName"] else "gauge"
        assert dimensions == {"JobName": "nightly", "JobRunId": "ALL", "Type": kind}, metric


def test_a_job_s_events_are_in_cloudwatch_logs_without_its_data(aws, paceline):
    group = f"/paceline/{aws.source}"
    flags = [*FLAGS, "--job-id", "logged", "--conf", f"paceline.cloudwatch.log_group={group}"]
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *flags), **keys(aws.url))
    assert code == 0, said
    events = aws.client("logs").get_log_events(logGroupName=group, logStreamName="logged", startFromHead=True)["events"]
    lines = [json.loads(event["message"]) for event in events]
    told = [line["event"] for line in lines]
    assert (told[0], told[-1]) == ("job_started", "job_ended")
    assert told.count("statement_ended") == 3 and not {"progress", "stages", "dead_letters"} & set(told)
    assert lines[-1]["report"]["records_failed"] == RECORDS // 10


def test_logs_that_are_not_there_fail_nothing(aws, paceline):
    env = keys(aws.url) | {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:9"}
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *FLAGS, "--conf", "paceline.cloudwatch.log_group=g"), **env)
    assert code == 0, said
    assert "CloudWatch Logs does not take the job's events" in said
