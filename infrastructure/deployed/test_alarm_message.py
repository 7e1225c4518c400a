"""What the function makes of messages: alarms, runs that failed, and what it has never seen."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambda" / "alarm_message"))
from alarm_message import message  # noqa: E402

ALARM = """{"AlarmName": "job-HeapUsage", "AlarmDescription": "Job job: too much heap.", "AWSAccountId": "123456789012",
 "NewStateValue": "ALARM", "NewStateReason": "Threshold Crossed", "StateChangeTime": "2026-11-23T08:00:00.000+0000",
 "Region": "EU (Frankfurt)", "OldStateValue": "OK", "Trigger": {"MetricName": "glue.driver.jvm.heap.usage", "Namespace": "Glue",
 "StatisticType": "Statistic", "Statistic": "AVERAGE", "Unit": null, "Period": 300, "EvaluationPeriods": 2,
 "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.85,
 "Dimensions": [{"value": "job", "name": "JobName"}, {"value": "ALL", "name": "JobRunId"}, {"value": "gauge", "name": "Type"}]}}"""


def test_an_alarm():
    subject, text = message(ALARM)
    assert subject == "ALARM: job-HeapUsage"
    assert text == (
        "Job job: too much heap.\n"
        "State    OK -> ALARM at 2026-11-23T08:00:00.000+0000\n"
        "Reason   Threshold Crossed\n"
        "Metric   Glue glue.driver.jvm.heap.usage JobName=job JobRunId=ALL Type=gauge\n"
        "Rule     Average GreaterThanThreshold 0.85 over 10 minutes\n"
        "Where    123456789012 EU (Frankfurt)\n"
    )


@pytest.mark.parametrize(
    ("body", "subject", "line"),
    [
        (
            '{"source": "aws.glue", "detail-type": "Glue Job State Change", "detail": {"jobName": "j", "jobRunId": "jr_1", "state": "TIMEOUT"}}',
            "TIMEOUT: job j",
            "Run      jr_1",
        ),
        (
            '{"source": "aws.glue", "detail-type": "Glue Job Run Status", "detail": {"jobName": "j", "jobRunId": "jr_1", "state": "RUNNING"}}',
            "LATE: job j",
            "State    RUNNING at ?",
        ),
        (
            '{"source": "aws.states", "detail": {"stateMachineArn": "arn:aws:states:r:1:stateMachine:j", "status": "FAILED", "cause": "no task"}}',
            "FAILED: job j",
            "Reason   no task",
        ),
        ("plain words", "Message of a Paceline job", "plain words"),
        ("[1, 2]", "Message of a Paceline job", "[1, 2]"),
        ('{"AlarmName": "composite"}', "unknown: composite", "Reason   ?"),
    ],
)
def test_other_messages(body, subject, line):
    said, text = message(body)
    assert said == subject
    assert line in text.splitlines()


def test_a_subject_is_one_that_sns_takes():
    subject, _ = message('{"AlarmName": "' + "ü\\n" * 200 + '", "NewStateValue": "OK"}')
    assert len(subject) == 100
    assert subject.isascii() and subject.isprintable()
