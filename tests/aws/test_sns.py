"""A topic of SNS is told of every change of a submitted job's state."""

import json
import time

from conftest import keys


def started(process, what):
    for line in process.stderr:
        if line.startswith(what):
            return line.removeprefix(what).strip()
    raise AssertionError(f"it ended with {process.wait()}")


def test_changes_of_state_come_out_of_the_topic(aws, paceline):
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=f"jobs-{aws.source}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"jobs-{aws.source}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    flags = ["scheduler", "--bind", "127.0.0.1:0", "--run-jobs", "embedded", "--sns-topic", topic]
    scheduler = paceline.start(*flags, **keys(aws.url))
    try:
        page = started(scheduler, "page at ")
        (paceline.folder / "job.sql").write_text("SELECT 1")
        code, said = paceline.run("submit", "job.sql", "--job-name", "nächtlich", "--wait", PACELINE_SERVER=page)
        assert code == 0, said
        told, end = [], time.monotonic() + 30
        while "SUCCEEDED" not in [event["detail"]["state"] for event in told] and time.monotonic() < end:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
                sent = json.loads(message["Body"])
                event = json.loads(sent["Message"])
                assert sent["Subject"] == f"n?chtlich: {event['detail']['state']}"
                assert sent["MessageAttributes"]["state"]["Value"] == event["detail"]["state"]
                told.append(event)
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        states = [event["detail"]["state"] for event in sorted(told, key=lambda event: event["id"])]
        assert states == ["WAITING", "STARTING", "RUNNING", "SUCCEEDED"]
        assert {event["detail"]["jobName"] for event in told} == {"nächtlich"}
    finally:
        scheduler.kill()
        scheduler.wait()


def test_what_is_no_topic_is_refused(paceline):
    code, said = paceline.run("scheduler", "--bind", "127.0.0.1:0", "--sns-topic", "jobs")
    assert code != 0 and "'jobs' is no topic; expected the ARN of a topic of SNS" in said
