"""Words what an alarm or a failed run means, and sends it to the topic that people subscribe to.

Takes messages of SNS that hold an alarm of CloudWatch, an event of Glue or an event of Step Functions. What it does not know it
passes on as it is: no message is lost because its form is new.
"""

import json
import os

# SNS refuses a longer subject, and line ends and other control characters in it.
SUBJECT = 100


def handler(event, _context):
    import boto3

    topic = boto3.client("sns")
    for record in event["Records"]:
        subject, text = message(record["Sns"]["Message"])
        topic.publish(TopicArn=os.environ["TOPIC_ARN"], Subject=subject, Message=text)


def message(body):
    """The subject and the text for the body of a message of SNS."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    if "AlarmName" in said:
        subject, lines = alarm(said)
    elif said.get("source") == "aws.glue":
        subject, lines = glue_run(said)
    elif said.get("source") == "aws.states":
        subject, lines = execution(said)
    else:
        subject, lines = "Message of a Paceline job", [body]
    printable = "".join(letter if " " <= letter <= "~" else "?" for letter in subject)
    return printable[:SUBJECT], "\n".join(line for line in lines if line) + "\n"


def alarm(said):
    state, name = said.get("NewStateValue", "unknown"), said["AlarmName"]
    trigger = said.get("Trigger") or {}
    # CloudWatch writes their keys in small letters, its interfaces in capitals.
    dimensions = [f"{each.get('name', each.get('Name'))}={each.get('value', each.get('Value'))}" for each in trigger.get("Dimensions") or []]
    metric = " ".join(part for part in [trigger.get("Namespace"), trigger.get("MetricName"), *dimensions] if part)
    return f"{state}: {name}", [
        said.get("AlarmDescription"),
        "",
        f"State    {said.get('OldStateValue', '?')} -> {state} at {said.get('StateChangeTime', '?')}",
        f"Reason   {said.get('NewStateReason', '?')}",
        f"Metric   {metric}" if metric else "",
        rule(trigger),
        place(said.get("AWSAccountId"), said.get("Region")),
    ]


def rule(trigger):
    if "Threshold" not in trigger:
        return ""
    minutes = trigger.get("Period", 0) * trigger.get("EvaluationPeriods", 1) / 60
    statistic = str(trigger.get("Statistic") or trigger.get("ExtendedStatistic") or "value").capitalize()
    return f"Rule     {statistic} {trigger.get('ComparisonOperator', '?')} {trigger['Threshold']:g} over {minutes:g} minutes"


def glue_run(said):
    detail = said.get("detail") or {}
    job, run = detail.get("jobName", "?"), detail.get("jobRunId", "?")
    late = said.get("detail-type") == "Glue Job Run Status"
    state = "LATE" if late else detail.get("state", "?")
    return f"{state}: job {job}", [
        f"Run      {run}",
        f"State    {detail.get('state', '?')} at {said.get('time', '?')}",
        f"Reason   {detail['message']}" if detail.get("message") else "",
        place(said.get("account"), said.get("region")),
        "" if late else "Next     a run that is started again with the same arguments resumes: no answer is bought twice",
    ]


def execution(said):
    detail = said.get("detail") or {}
    machine = str(detail.get("stateMachineArn", "?")).rsplit(":", 1)[-1]
    return f"{detail.get('status', '?')}: job {machine}", [
        f"Run      {detail.get('name', '?')}",
        f"State    {detail.get('status', '?')} at {said.get('time', '?')}",
        f"Reason   {detail['cause']}" if detail.get("cause") else "",
        place(said.get("account"), said.get("region")),
    ]


def place(account, region):
    return f"Where    {account or '?'} {region or '?'}"
