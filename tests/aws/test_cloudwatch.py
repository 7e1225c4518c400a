"""A job's numbers reach CloudWatch under the Python job's names, sum up to what the job did, and never fail it."""

import datetime
import json

from conftest import RECORDS, keys
from servers import Api


FLAGS = ["--conf", "spark.app.name=nightly", "--conf", "paceline.api.default.max_failed_percent=100", "--report", "report.json"]
PUBLISHED = [*FLAGS, "--conf", "paceline.cloudwatch.namespace=SparkProcessing", "--conf", "paceline.cloudwatch.interval=1"]


def summed(aws, name, **dimensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    wanted = [{"Name": key, "Value": value} for key, value in ({"JobName": "nightly"} | dimensions).items()]
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="SparkProcessing", MetricName=name, Dimensions=wanted, StartTime=now - hour, EndTime=now + hour,
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
