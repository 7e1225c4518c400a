"""A job's numbers go to CloudWatch unless it is told otherwise, as far as somebody can take them, and no job fails by them."""

import pytest
from environment import KEYS

from paceline.glue import Options, main
from paceline.glue.metrics import known_region, metrics_of

JOB = ["--paceline-job", "job.sql"]
NAMED = [*JOB, "--JOB_NAME", "nightly"]
# What could tell of a region or of credentials on the machine of the tests.
OF_AWS = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN")
OF_AWS += ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE")
OF_AWS += ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


@pytest.fixture
def nothing_of_aws(tmp_path, monkeypatch):
    """A machine that knows nothing of AWS, and no way there."""
    for name in OF_AWS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:9")


@pytest.fixture
def job(tmp_path):
    """Arguments of a job that needs nothing."""
    (tmp_path / "job.sql").write_text("SELECT 1 AS a;")
    return ["script.py", "--paceline-job", str(tmp_path / "job.sql")]


def decided(*argv, region="eu-central-1"):
    return metrics_of(Options.read(["script.py", *argv], {}), lambda _: region)


@pytest.mark.parametrize(
    ("argv", "namespace"),
    [
        (NAMED, "SparkProcessing"),
        ([*NAMED, "--enable-metrics", "true", "--enable-continuous-cloudwatch-log", "true"], "SparkProcessing"),
        ([*NAMED, "--metrics_namespace", "Mine"], "Mine"),
        ([*JOB, "--metrics_namespace", "Mine"], "Mine"),
        ([*NAMED, "--metrics_namespace", "none"], None),
        ([*NAMED, "--metrics_namespace", ""], None),
        ([*NAMED, "--metrics_namespace="], None),
        # The program is told by the setting itself.
        ([*NAMED, "--paceline-conf", "paceline.cloudwatch.namespace=Mine"], None),
        ([*JOB, "--paceline-conf", "a=1 --paceline-conf paceline.cloudwatch.namespace=Mine"], None),
    ],
)
def test_they_go_where_an_argument_says_else_where_the_python_jobs_went(argv, namespace):
    assert decided(*argv) == (namespace, None)
    if argv != NAMED and "--enable-metrics" not in argv:
        assert decided(*argv, region=None) == (namespace, None), "what is said does not depend on what is known"


def test_without_a_name_or_a_region_there_is_a_reason_why_they_go_nowhere():
    assert decided(*JOB) == (None, "this is no job of Glue, which would be given --JOB_NAME")
    assert decided(*NAMED, region=None) == (None, "no region is known; AWS_REGION names one")


def test_the_region_is_the_one_that_the_program_takes(nothing_of_aws, tmp_path, monkeypatch):
    environment = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
    conf = ("paceline.s3.region=eu-central-1", "paceline.s3.region=eu-central-2")
    assert known_region(Options(conf=conf), environment) == "eu-central-2"
    assert known_region(Options(), environment) == "eu-west-1"
    assert known_region(Options(), {"AWS_DEFAULT_REGION": "eu-west-2"}) == "eu-west-2"
    assert known_region(Options(), {}) is None
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert known_region(Options(), {}) == "eu-north-1"
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    assert known_region(Options(), {}) is None


def test_a_laptop_is_told_once_that_there_are_none(nothing_of_aws, job, capsys):
    main(job)
    said = capsys.readouterr().err
    assert said.count("metrics are off: this is no job of Glue") == 1 and "--metrics_namespace turns them on" in said
    assert "CloudWatch" not in said
    main([*job, "--metrics_namespace", "none"])
    assert "metrics are off" not in capsys.readouterr().err, "it was asked for"


@pytest.mark.parametrize("keys", [{}, KEYS], ids=["no credentials", "nobody answers"])
def test_a_job_whose_numbers_nobody_takes_is_complete_and_says_so(nothing_of_aws, job, keys, monkeypatch, capsys):
    for name, value in {**keys, "AWS_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    assert main([*job, "--JOB_NAME", "nightly"])["state"] == "SUCCEEDED"
    said = capsys.readouterr().err
    assert said.count("CloudWatch does not take the job's metrics; the job goes on without them") == 1, said
