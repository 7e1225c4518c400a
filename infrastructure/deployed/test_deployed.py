"""The stack goes through CloudFormation; its job runs; what it writes, publishes and alarms arrives; it is updated and destroyed."""

import time

import pytest
from conftest import Inbox

RECORDS = 300


@pytest.fixture(scope="module")
def stack(deploy):
    return deploy("worked")


@pytest.fixture(scope="module")
def run(stack, paceline, api):
    """A run of the job over records in the stack's bucket, when it has ended."""
    bucket = stack.props["bucketName"]
    paceline("data", "generate", "--records", str(RECORDS), "--out", f"s3://{bucket}/input/records.csv")
    arguments = {"--source_key": "input/records.csv", "--api_endpoint": api}
    return ended(stack, arguments)


def ended(stack, arguments):
    glue = stack.client("glue")
    job = stack.props["glueJobName"]
    run = glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
        if state["JobRunState"] not in ("STARTING", "RUNNING"):
            return state
        time.sleep(0.2)
    pytest.fail(f"the run has not ended: {state}")


def test_the_job_runs_and_each_record_is_in_the_output_once(stack, run, paceline):
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    bucket = stack.props["bucketName"]
    paceline("data", "verify", f"s3://{bucket}/input/records.csv", f"s3://{bucket}/output/records")
    names = [each["Key"] for each in stack.client("s3").list_objects_v2(Bucket=bucket, Prefix="output/")["Contents"]]
    assert "output/records/_SUCCESS" in names
