"""A stack with SQL (`sqlPath`): the statements go to its assets, and its job fetches and carries them out with the wheel's program."""

import json

import pytest

RECORDS = 200
# `${…}` are values that a run gives.
STATEMENTS = """
CREATE TEMPORARY VIEW records USING csv OPTIONS (path 's3://${bucket}/input/records.csv', header 'true', inferSchema 'true');
CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
  USING API OPTIONS (endpoint '${api}', rate_limit_calls '2000');
INSERT OVERWRITE DIRECTORY 's3://${bucket}/output/stated' USING parquet SELECT *, enrich(id, email) AS answer FROM records;
"""
# What a script can do beside its job: tell where it has both halves of the wheel from.
SCRIPT = """
import json
import os
import boto3
import paceline.glue
from paceline.glue import binary

report = paceline.glue.main()
found = {"launcher": paceline.glue.__file__, "program": str(binary.find()), "pythonpath": os.environ["PYTHONPATH"], "report": report}
boto3.client("s3").put_object(Bucket="stated-data", Key="output/told.json", Body=json.dumps(found).encode())
"""


@pytest.fixture(scope="module")
def stack(deploy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stated")
    (folder / "job.sql").write_text(STATEMENTS)
    (folder / "mine.py").write_text(SCRIPT)
    return deploy("stated", sqlPath=str(folder / "job.sql"), glueJobScript=str(folder / "mine.py"))


@pytest.fixture(scope="module")
def given(stack, paceline, api):
    """The arguments of a run over records in the stack's bucket."""
    bucket = stack.props["bucketName"]
    paceline("data", "generate", "--records", str(RECORDS), "--out", f"s3://{bucket}/input/records.csv")
    return {"--paceline-var": f"bucket={bucket} --paceline-var api={api}"}


@pytest.fixture(scope="module")
def run(stack, given):
    return stack.run(given)


def test_the_statements_are_an_asset_of_the_stack_and_the_job_carries_them_out(stack, run, paceline):
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    bucket = stack.props["bucketName"]
    paceline("data", "verify", f"s3://{bucket}/input/records.csv", f"s3://{bucket}/output/stated", "--arguments", "id,email")
    named = stack.client("glue").get_job(JobName="stated")["Job"]["DefaultArguments"]["--paceline-job"]
    asset, key = named.removeprefix("s3://").split("/", 1)
    assert key.endswith("/job.sql")
    assert stack.client("s3").get_object(Bucket=asset, Key=key)["Body"].read().decode() == STATEMENTS


def test_launcher_and_program_are_those_of_the_wheel_that_glue_installed(stack, run, wheel_path):
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    modules = stack.client("glue").get_job(JobName="stated")["Job"]["DefaultArguments"]["--additional-python-modules"]
    assert modules.endswith(f"/{wheel_path.name}")
    asset, key = modules.removeprefix("s3://").split("/", 1)
    assert stack.client("s3").head_object(Bucket=asset, Key=key)["ContentLength"] == wheel_path.stat().st_size
    told = json.loads(stack.client("s3").get_object(Bucket="stated-data", Key="output/told.json")["Body"].read())
    assert told["launcher"] == f"{told['pythonpath']}/paceline/glue/__init__.py"
    assert told["program"] == f"{told['pythonpath']}/paceline/glue/bin/paceline"
    assert told["report"]["records_written"] == RECORDS


def test_a_job_of_statements_publishes_under_the_name_that_alarms_read(stack, run):
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    listed = stack.client("cloudwatch").list_metrics(Namespace="SparkProcessing", MetricName="ProcessedRecords")["Metrics"]
    assert [{"Name": "JobName", "Value": "stated"}] in [each["Dimensions"] for each in listed]


def test_an_argument_of_the_classic_job_fails_the_run_and_says_why(stack, given):
    run = stack.run(given | {"--source_key": "input/records.csv"})
    assert run["JobRunState"] == "FAILED"
    assert "not allowed with argument --source_key" in run["ErrorMessage"]


def test_the_output_that_says_how_to_start_a_run_gives_none_of_those(stack):
    (described,) = stack.cloudformation.describe_stacks(StackName=stack.stack)["Stacks"]
    (start,) = [each["OutputValue"] for each in described["Outputs"] if each["OutputKey"] == "Start"]
    assert start == "aws glue start-job-run --job-name stated"
