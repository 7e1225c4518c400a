"""Arguments are read as the real awsglue reads them, case by case."""

from argparse import ArgumentError

import pytest
from awsglue.utils import GlueArgumentError as RealError
from awsglue.utils import getResolvedOptions

from paceline.glue import GlueArgumentError, get_resolved_options
from paceline.glue.arguments import split_chain

BATCH = ["--source_bucket", "in", "--batch_size", "500"]

# Arguments, and what is asked for.
CASES = {
    "apart": (BATCH, ["source_bucket", "batch_size"]),
    "with equals": (["--source_bucket=in", "--batch_size=500"], ["source_bucket", "batch_size"]),
    "an equals sign in a value": (["--where=a=1", "--then", "b=2"], ["where", "then"]),
    "the last wins": (["--k", "1", "--k=2", "--k", "3"], ["k"]),
    "nobody asks for it": ([*BATCH, "--other", "x", "stray", "-v"], ["batch_size"]),
    "hyphens become underscores": (["--source-bucket", "in"], ["source-bucket"]),
    "underscores do not become hyphens": (["--source_bucket", "in"], ["source-bucket"]),
    "values are strings": (["--n", "007", "--x", "1e3"], ["n", "x"]),
    "an empty value": (["--k", ""], ["k"]),
    "an empty value behind equals": (["--k="], ["k"]),
    "a negative number": (["--v", "-5"], ["v"]),
    "a negative fraction": (["--v", "-5.5"], ["v"]),
    "a hyphen": (["--v", "-"], ["v"]),
    "a hyphen and letters": (["--v", "-x"], ["v"]),
    "an argument as a value": (["--v", "--x"], ["v"]),
    "an argument as a value behind equals": (["--v=--x"], ["v"]),
    "a value with spaces": (["--v", "a b --c d"], ["v"]),
    "a value with spaces that begins with hyphens": (["--v", "--c d"], ["v"]),
    "chained conf": (["--conf", "a=1 --conf b=2"], ["conf"]),
    "text that is not ASCII": (["--v", "käse ☂"], ["v"]),
    "a prefix of a name": (["--source_b", "in"], ["source_bucket"]),
    "a prefix of two names": (["--source", "in"], ["source_bucket", "source_key"]),
    "a prefix that is a name": (["--job", "a", "--job_id", "b"], ["job", "job_id"]),
    "one is missing": (BATCH, ["source_bucket", "source_key"]),
    "two are missing": (BATCH, ["source_bucket", "source_key", "api_endpoint"]),
    "no value": (["--k"], ["k"]),
    "no arguments": ([], []),
    "the end of options": (["--k", "1", "--", "--k", "2"], ["k"]),
    "JOB_NAME asked for": (["--JOB_NAME", "nightly"], ["JOB_NAME"]),
    "JOB_NAME not asked for": (["--JOB_NAME", "nightly"], []),
    "what Glue gives": (["--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_1_attempt_2", "--JOB_NAME", "n"], ["JOB_NAME"]),
    "security": (["--SECURITY_CONFIGURATION", "s", "--encryption-type", "sse-s3"], []),
    "an unknown encryption": (["--encryption-type", "rot13"], []),
    "lineage": (["--enable-data-lineage", "true"], []),
    "TempDir": (["--TempDir", "s3://b/t"], []),
    "TempDir asked for": (["--TempDir", "s3://b/t"], ["TempDir"]),
    "TempDir asked for and absent": ([], ["TempDir"]),
    "RedshiftTempDir": (["--RedshiftTempDir", "s3://b/r"], ["RedshiftTempDir"]),
    "both": (["--RedshiftTempDir", "s3://b/r", "--TempDir", "s3://b/t"], []),
    "bookmarks": (["--job-bookmark-option", "job-bookmark-enable"], []),
    "older bookmarks": (["--continuation-option", "continuation-readonly"], []),
    "both kinds of bookmarks": (["--continuation-option", "continuation-enabled", "--job-bookmark-option", "job-bookmark-disable"], []),
    "unknown bookmarks": (["--job-bookmark-option", "maybe"], []),
    "a range": (["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-from", "1", "--job-bookmark-to", "2"], []),
    "half a range": (["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-from", "1"], []),
    "a range without a pause": (["--job-bookmark-from", "1", "--job-bookmark-to", "2"], []),
    "a reserved name": ([], ["job-bookmark-option"]),
}


def outcome(read, argv, options):
    """What is read, or how it fails: the error's kind, and the words of what Glue's users see."""
    try:
        return read(["script.py", *argv], list(options))
    except (RealError, GlueArgumentError) as error:
        return "GlueArgumentError", str(error)
    except RuntimeError as error:
        return "RuntimeError", sorted(word for word in str(error).replace("--", " ").split() if "-" in word)


@pytest.mark.parametrize("case", CASES)
def test_read_as_awsglue_reads_them(case):
    argv, options = CASES[case]
    real = outcome(getResolvedOptions, argv, options)
    assert outcome(get_resolved_options, argv, options) == real


def test_what_glue_takes_for_itself_cannot_be_asked_for():
    """The original meets its own argument of that name, and says less clearly what is wrong."""
    with pytest.raises(ArgumentError):
        getResolvedOptions(["script.py"], ["encryption-type"])
    with pytest.raises(RuntimeError, match="Using reserved arguments encryption-type"):
        get_resolved_options(["script.py"], ["encryption-type"])


def test_the_words_of_what_is_missing():
    with pytest.raises(GlueArgumentError, match="^the following arguments are required: --x$"):
        get_resolved_options(["script.py"], ["x"])


def test_the_name_of_the_program_is_no_argument():
    assert get_resolved_options(["--x", "--x", "1"], ["x"])["x"] == "1"


def test_a_chain_is_taken_apart():
    assert split_chain("conf", "a=1") == ["a=1"]
    assert split_chain("conf", "a=1 --conf b=2 --conf  c=x=y ") == ["a=1", "b=2", "c=x=y"]
    assert split_chain("conf", "a=--configure --conf b=") == ["a=--configure", "b="]
    with pytest.raises(GlueArgumentError, match="expected KEY=VALUE, or several with --conf between, not 'b'"):
        split_chain("conf", "a=1 --conf b")
