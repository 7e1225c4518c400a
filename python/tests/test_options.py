"""What a Glue job was told becomes command lines of the program."""

import pytest

from paceline.glue import GlueArgumentError, Options
from paceline.glue.commands import plan
from paceline.glue.metrics import metrics_of
from paceline.glue.sizing import size

CLASSIC = ["--source_bucket", "in", "--source_key", "a/b.csv", "--api_endpoint", "https://api.example.com/x"]
AS_FLAGS = ["--s3-bucket", "in", "--s3-key", "a/b.csv", "--api-endpoint", "https://api.example.com/x"]
# As Glue calls a script, the first time and when it tries the run again.
FIRST = ["--JOB_NAME", "nightly", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_7"]
AGAIN = ["--JOB_NAME", "nightly", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_7_attempt_1"]


def read(*argv, **environment):
    return Options.read(["script.py", *argv], environment)


def commands(*argv, script=None, region=None):
    options = read(*argv)
    made = plan(options, script, "r.json", metrics_of(options, lambda _: region).namespace)
    return [list(command) for command in (made.first, made.afresh) if command]


def test_the_python_jobs_arguments_are_those_of_enrich():
    more = ["--batch_size", "500", "--max_workers", "8", "--metrics_namespace", "SparkProcessing"]
    expected = ["enrich", *AS_FLAGS, "--batch-size", "500", "--max-workers", "8", "--job-id", "jr_7"]
    metrics = ["--conf", "paceline.cloudwatch.namespace=SparkProcessing", "--conf", "spark.app.name=nightly"]
    assert commands(*FIRST, *CLASSIC, *more) == [[*expected, *metrics, "--report", "r.json"]]
    given = ["--paceline-conf", "spark.app.name=other"]
    assert commands(*FIRST, *CLASSIC, *more, *given) == [[*expected, *metrics, "--conf", given[1], "--report", "r.json"]]


def test_where_a_region_is_known_the_numbers_go_where_the_python_jobs_went():
    metrics = ["--conf", "paceline.cloudwatch.namespace=SparkProcessing", "--conf", "spark.app.name=nightly"]
    expected = [["enrich", *AS_FLAGS, "--job-id", "jr_7", *metrics, "--report", "r.json"]]
    assert commands(*FIRST, *CLASSIC, region="eu-central-1") == expected
    [resume, afresh] = commands(*AGAIN, "--paceline-job", "job.sql", "--TempDir", "s3://t", script="job.sql", region="eu-central-1")
    assert resume[-6:] == afresh[-6:] == [*metrics, "--report", "r.json"]
    without = ["enrich", *AS_FLAGS, "--job-id", "jr_7", "--report", "r.json"]
    assert commands(*FIRST, *CLASSIC, "--metrics_namespace", "none", region="eu-central-1") == [without]


def test_every_setting_of_the_classic_job_can_be_given():
    more = ["--rate_limit_calls", "50", "--rate_limit_period", "1 minute", "--chunk_size", "10", "--log_level", "DEBUG"]
    more += ["--output", "s3://out/x/", "--api_format", "array", "--returns", "STRUCT<score: DOUBLE>"]
    flags = ["--rate-limit-calls", "50", "--rate-limit-period", "1 minute", "--chunk-size", "10", "--log-level", "DEBUG"]
    flags += ["--s3-output", "s3://out/x/", "--api-format", "array", "--returns", "STRUCT<score: DOUBLE>"]
    assert commands(*CLASSIC, *more) == [["enrich", *AS_FLAGS, *flags, "--report", "r.json"]]


def test_what_is_missing_is_named():
    with pytest.raises(GlueArgumentError, match="the following arguments are required: --source_key, --api_endpoint"):
        read("--source_bucket", "in")


def test_the_environment_may_have_what_is_missing():
    assert read("--source_key", "k", S3_BUCKET="b", API_ENDPOINT="https://a").classic == {"source_key": "k"}


def test_a_retried_run_goes_on_under_the_same_id():
    first, again = read(*FIRST, *CLASSIC), read(*AGAIN, *CLASSIC)
    assert (first.job_id, first.attempt) == ("jr_7", 0)
    assert (again.job_id, again.attempt) == ("jr_7", 1)
    assert commands(*FIRST, *CLASSIC) == commands(*AGAIN, *CLASSIC)


def test_retried_statements_are_resumed_from_their_checkpoint():
    job = ["--paceline-job", "job.sql", "--TempDir", "s3://tmp/t/"]
    kept = ["--conf", "paceline.checkpoint.location=s3://tmp/t/paceline/", "--report", "r.json"]
    afresh = ["run", "job.sql", "--job-id", "jr_7", *kept]
    assert commands(*FIRST, *job, script="job.sql") == [afresh]
    resume = ["resume", "jr_7", "--checkpoint", "s3://tmp/t/paceline/jr_7/", *kept]
    assert commands(*AGAIN, *job, script="job.sql") == [resume, afresh]


def test_without_a_place_for_checkpoints_statements_begin_again_under_their_id():
    expected = ["run", "job.sql", "--job-id", "jr_7", "--report", "r.json"]
    assert commands(*AGAIN, "--paceline-job", "job.sql", script="job.sql") == [expected]


def test_variables_and_settings_are_chained_as_glue_chains_conf():
    chained = ["--paceline-var", "day=2026-01-01 --paceline-var n=5", "--paceline_conf", "a=1 --paceline_conf b=x y"]
    [command] = commands("--paceline_job", "job.sql", *chained, script="job.sql")
    expected = ["--var", "day=2026-01-01", "--var", "n=5", "--conf", "a=1", "--conf", "b=x y", "--report", "r.json"]
    assert command == ["run", "job.sql", *expected]


@pytest.mark.parametrize(
    "argv, said",
    [
        ([*CLASSIC, "--paceline-workers", "all"], "argument --paceline-workers: invalid choice: 'all' (choose from driver, spark)"),
        ([*CLASSIC, "--paceline-number-of-workers", "0"], "expected a whole number above zero, not '0'"),
        ([*CLASSIC, "--paceline-number-of-workers", "ten"], "expected a whole number above zero, not 'ten'"),
        ([*CLASSIC, "--paceline-job-id", "../x"], "'../x' cannot be a job id"),
        ([*CLASSIC, "--paceline-conf", "a"], "argument --paceline-conf: expected KEY=VALUE"),
        (["--paceline-job", "j.sql", "--batch_size", "5"], "argument --paceline-job: not allowed with argument --batch_size"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_takes(argv, said):
    with pytest.raises(GlueArgumentError) as error:
        read(*argv)
    assert said in str(error.value)


def sized(argv=(), spark=None, glue=None, here=1):
    made = size(read(*CLASSIC, *argv), spark or {}, lambda _: glue or {}, here)
    return made.executors, list(made.arguments)


def test_one_worker_is_the_drivers():
    assert sized(["--paceline-worker-type", "G.2X", "--paceline-number-of-workers", "10"]) == (9, ["--worker-type", "G.2X"])
    assert sized(["--paceline-number-of-workers", "1"]) == (1, [])


def test_arguments_win_over_glue_and_glue_over_spark():
    glue = {"WorkerType": "G.1X", "NumberOfWorkers": "4"}
    spark = {"spark.executor.instances": "7"}
    assert sized(["--paceline-number-of-workers", "3"], spark, glue) == (2, ["--worker-type", "G.1X"])
    assert sized([], spark, glue) == (3, ["--worker-type", "G.1X"])
    assert sized([], spark) == (7, [])


def test_spark_tells_how_large_its_executors_are():
    spark = {"spark.executor.cores": "2", "spark.executor.memory": "6g", "spark.app.name": "x"}
    said = ["--conf", "spark.executor.cores=2", "--conf", "spark.executor.memory=6g"]
    assert sized([], spark) == (None, said)
    assert sized([], spark, here=2) == (None, [*said, "--executors-here", "2"])


def test_glue_is_not_asked_for_what_is_given():
    def refuse(_):
        raise AssertionError("Glue was asked")

    given = read(*CLASSIC, "--paceline-worker-type", "G.1X", "--paceline-number-of-workers", "2")
    assert size(given, {}, refuse, 1).executors == 1
