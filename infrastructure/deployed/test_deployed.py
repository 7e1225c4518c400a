"""The stack goes through CloudFormation, its job runs, and what it writes, publishes and alarms arrives where it should."""

import gzip
import json
import re
import time

import pytest
from conftest import Inbox

RECORDS = 300

# As Glue sends them (EventBridge's reference of Glue); no other service may send events of `aws.glue`.
FAILED = {
    "version": "0",
    "id": "abcdef00-1234-5678-9abc-def012345678",
    "detail-type": "Glue Job State Change",
    "source": "aws.glue",
    "account": "000000000000",
    "time": "2026-11-23T18:57:21Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {"jobName": "worked", "severity": "ERROR", "state": "FAILED", "jobRunId": "jr_1", "message": "the API is gone"},
}


@pytest.fixture(scope="module")
def stack(deploy):
    return deploy("worked", alarmEmails=["ops@example.com"])


@pytest.fixture(scope="module")
def run(stack, paceline, api):
    """A run of the job over records in the stack's bucket, when it has ended."""
    bucket = stack.props["bucketName"]
    paceline("data", "generate", "--records", str(RECORDS), "--out", f"s3://{bucket}/input/records.csv")
    return stack.run({"--source_key": "input/records.csv", "--api_endpoint": api})


@pytest.fixture(scope="module")
def inbox(stack):
    """What people get who subscribe to the messages."""
    return Inbox(stack, stack.resource("AWS::SNS::Topic", "MessageTopic"))


def alarm(stack, name):
    (found,) = stack.client("cloudwatch").describe_alarms(AlarmNames=[f"{stack.job}-{name}"])["MetricAlarms"]
    return found


def test_the_job_runs_and_each_record_is_in_the_output_once(stack, run, paceline):
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    bucket = stack.props["bucketName"]
    paceline("data", "verify", f"s3://{bucket}/input/records.csv", f"s3://{bucket}/output/records")
    names = [each["Key"] for each in stack.client("s3").list_objects_v2(Bucket=bucket, Prefix="output/")["Contents"]]
    assert "output/records/_SUCCESS" in names
    assert stack.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_a_run_that_cannot_work_fails_in_glue(stack, api):
    run = stack.run({"--source_key": "input/nothing.csv", "--api_endpoint": api})
    assert run["JobRunState"] == "FAILED"
    assert "input/nothing.csv" in run["ErrorMessage"]


def test_the_job_publishes_the_metrics_that_alarms_read(stack, run):
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    cloudwatch = stack.client("cloudwatch")
    listed = cloudwatch.list_metrics(Namespace="SparkProcessing")["Metrics"]
    published = {(each["MetricName"], tuple(sorted((of["Name"], of["Value"]) for of in each["Dimensions"]))) for each in listed}
    read = {
        (each["MetricName"], tuple(sorted((of["Name"], of["Value"]) for of in each["Dimensions"])))
        for each in cloudwatch.describe_alarms(AlarmNamePrefix=f"{stack.job}-")["MetricAlarms"]
    }
    assert read - published == set()


def test_an_alarm_reaches_people_in_words(stack, inbox):
    """The metric comes from this test: it is about the way from the alarm on, not about who publishes."""
    failed = alarm(stack, "FailedRecords")
    assert failed["StateValue"] != "ALARM"
    data = {"MetricName": failed["MetricName"], "Dimensions": failed["Dimensions"], "Value": 7, "Unit": failed["Unit"]}
    stack.client("cloudwatch").put_metric_data(Namespace=failed["Namespace"], MetricData=[data])
    assert alarm(stack, "FailedRecords")["StateValue"] == "ALARM"
    said = inbox.receive("worked-FailedRecords")
    assert said["Subject"] == "ALARM: worked-FailedRecords"
    assert "more than 0 records were given up" in said["Message"]
    assert "Metric   SparkProcessing FailedRecords JobName=worked" in said["Message"]
    assert "Rule     Sum GreaterThanThreshold 0 over 5 minutes" in said["Message"]


def test_a_failed_run_matches_the_rule_whose_target_reaches_people(stack, inbox):
    """Ministack's Glue sends no events: the rule is asked whether it matches one, and the event goes to the rule's target."""
    events = stack.client("events")
    rule = stack.resource("AWS::Events::Rule", "RunFailed").rsplit("|", 1)[-1]
    pattern = events.describe_rule(Name=rule)["EventPattern"]
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(FAILED))["Result"]
    for detail in ({"state": "SUCCEEDED"}, {"jobName": "other"}):
        other = FAILED | {"detail": FAILED["detail"] | detail}
        assert not events.test_event_pattern(EventPattern=pattern, Event=json.dumps(other))["Result"]
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    stack.client("sns").publish(TopicArn=target["Arn"], Message=json.dumps(FAILED))
    said = inbox.receive("job worked")
    assert said["Subject"] == "FAILED: job worked"
    assert "Reason   the API is gone" in said["Message"]


def test_addresses_are_subscribed_to_the_messages(stack):
    topic = stack.resource("AWS::SNS::Topic", "MessageTopic")
    subscriptions = stack.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert ("email", "ops@example.com") in [(each["Protocol"], each["Endpoint"]) for each in subscriptions]


def test_logs_of_the_job_go_to_the_stream_that_writes_them_into_the_bucket(stack):
    """Ministack keeps subscriptions and delivers to functions only: what CloudWatch would hand over goes to the stream from here."""
    logs, s3, bucket = stack.client("logs"), stack.client("s3"), stack.props["bucketName"]
    (stream,) = stack.resources("AWS::KinesisFirehose::DeliveryStream").values()
    groups = [name for name in stack.resources("AWS::Logs::LogGroup").values() if name.startswith("/aws-glue/python-jobs/worked-security-role/")]
    assert sorted(name.rsplit("/", 1)[-1] for name in groups) == ["error", "output"]
    for group in groups:
        (filtered,) = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        assert filtered["filterPattern"] == ""
        assert filtered["destinationArn"].endswith(f":deliverystream/{stream}")
    data = gzip.compress(json.dumps({"logGroup": groups[0], "logEvents": [{"message": "300 records"}]}).encode())
    stack.client("firehose").put_record(DeliveryStreamName=stream, Record={"Data": data})
    (copy,) = await_objects(s3, bucket, "logs/worked/")
    assert re.fullmatch(r"logs/worked/\d{4}/\d\d/\d\d/.*\.json\.gz", copy)
    assert s3.get_object(Bucket=bucket, Key=copy)["Body"].read() == data


def await_objects(s3, bucket, prefix):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"no object under {prefix}")


def test_bucket_and_key_are_as_the_stack_says(stack):
    """As far as ministack takes them: it leaves out encryption, lifecycle, logging and metrics of a bucket."""
    s3, kms, bucket = stack.client("s3"), stack.client("kms"), stack.props["bucketName"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert {"Bool": {"aws:SecureTransport": "false"}} in [each.get("Condition") for each in policy["Statement"] if each["Effect"] == "Deny"]
    s3.head_bucket(Bucket=f"{bucket}-access-logs")
    key = kms.describe_key(KeyId="alias/spark-processing-worked")["KeyMetadata"]["KeyId"]
    assert [key] == list(stack.resources("AWS::KMS::Key").values())
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_the_dashboard_is_there(stack):
    body = stack.client("cloudwatch").get_dashboard(DashboardName="worked-metrics")["DashboardBody"]
    titles = [widget["properties"].get("title") for widget in json.loads(body)["widgets"]]
    assert {"Records", "Pace against the limit, percent", "Failures by kind", "Breaker open"} <= set(titles)
