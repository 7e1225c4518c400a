"""A python-shell job that is made and started through AWS's own API: it installs the wheel, and runs the classic job.

The local AWS runs the script of such a job as Glue does, but gives it its arguments in its environment, and installs nothing.
"""

import textwrap
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from classic import ClassicJob
from environment import stats, wait_for

from paceline.glue import Options
from paceline.glue.sizing import glue_workers

RECORDS = 200
SCRIPT = """
    import os, subprocess, sys, tempfile
    import boto3

    folder = tempfile.mkdtemp()
    wheel = os.path.join(folder, os.path.basename("{key}"))
    boto3.client("s3").download_file("{bucket}", "{key}", wheel)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", folder, wheel]
    subprocess.run(pip, check=True)
    os.environ.pop("PACELINE_BIN")
    sys.path.insert(0, folder)
    names = ("JOB_NAME", "JOB_RUN_ID", "source_bucket", "source_key", "api_endpoint", "rate_limit_calls")
    sys.argv += [text for name in names if name in os.environ for text in ("--" + name, os.environ[name])]

    import paceline.glue
    assert paceline.glue.__file__.startswith(folder), paceline.glue.__file__
    paceline.glue.main()
"""


@pytest.fixture
def run(aws, bucket, wheel):
    """Makes a job of Glue, starts it with arguments, and returns how it ended."""
    glue, key = aws.client("glue"), f"wheels/{wheel.name}"
    aws.s3.upload_file(str(wheel), bucket, key)
    aws.s3.put_object(Bucket=bucket, Key=f"scripts/{bucket}.py", Body=textwrap.dedent(SCRIPT.format(bucket=bucket, key=key)).encode())
    command = {"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": f"s3://{bucket}/scripts/{bucket}.py"}
    glue.create_job(Name=bucket, Role="glue", Command=command, MaxCapacity=1.0, DefaultArguments={"--JOB_NAME": bucket})

    def start(**arguments):
        given = {f"--{name}": str(value) for name, value in arguments.items()}
        id = glue.start_job_run(JobName=bucket, Arguments=given)["JobRunId"]

        def ended():
            seen = glue.get_job_run(JobName=bucket, RunId=id)["JobRun"]
            return seen["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING") and seen

        return wait_for(ended, "the end of the run", 120)

    yield start
    glue.delete_job(JobName=bucket)


def test_a_job_reads_calls_writes_and_succeeds(run, aws, bucket, api):
    job = ClassicJob(aws, bucket, api, RECORDS)
    seen = run(source_bucket=bucket, source_key="in/records.csv", api_endpoint=api, rate_limit_calls=1000)
    assert seen["JobRunState"] == "SUCCEEDED", seen["ErrorMessage"]
    assert stats(api)["requests"] == RECORDS
    assert "every row is there exactly once" in job.verify()
    # Nobody asked for these. The job has the bucket's name, which no other test has.
    assert published(aws, "ProcessedRecords", bucket) == RECORDS and published(aws, "FailedRecords", bucket) == 0


def published(aws, name, job):
    """The sum of a metric of a job in CloudWatch."""
    now, hour = datetime.now(timezone.utc), timedelta(hours=1)
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="SparkProcessing",
        MetricName=name,
        Dimensions=[{"Name": "JobName", "Value": job}],
        StartTime=now - hour,
        EndTime=now + hour,
        Period=7200,
        Statistics=["Sum"],
    )
    assert found["Datapoints"], f"{name} of {job} was never published"
    return sum(point["Sum"] for point in found["Datapoints"])


def test_a_job_that_is_not_complete_has_failed(run, bucket, api):
    seen = run(source_bucket=bucket, source_key="in/none.csv", api_endpoint=api)
    assert seen["JobRunState"] == "FAILED" and "JobFailed: the job is not complete (exit code 1): error: " in seen["ErrorMessage"]


def test_glue_tells_the_workers_of_a_run(aws, on_aws, monkeypatch):
    glue, name = aws.client("glue"), f"workers-{uuid.uuid4().hex}"
    script = {"Name": "glueetl", "ScriptLocation": "s3://none/script.py"}
    glue.create_job(Name=name, Role="glue", Command=script, WorkerType="G.2X", NumberOfWorkers=5)
    run_id = glue.start_job_run(JobName=name)["JobRunId"]
    try:
        assert glue_workers(Options(job_name=name, run_id=run_id)) == {"WorkerType": "G.2X", "NumberOfWorkers": "5"}
        assert glue_workers(Options(job_name=name, run_id="jr_of_another")) == {}
        assert glue_workers(Options(job_name=name)) == {}
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # nobody is there, as in a network without a way to Glue
        assert glue_workers(Options(job_name=name, run_id=run_id)) == {}
    finally:
        glue.delete_job(JobName=name)
