"""The scripts about test data, as a person calls them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def script(aws, bucket):
    """Runs a script in the environment of the classic job. Returns its exit code and what it said."""
    environment = {**os.environ, **aws.environment, "S3_BUCKET": bucket, "S3_KEY": "in/data.csv"}

    def run(name, *arguments):
        command = [sys.executable, SCRIPTS / name, *arguments]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    return run


def test_test_data_is_written_verified_and_removed(script, aws, bucket):
    assert script("generate_test_data.py", "--records", "50")[0] == 0
    assert aws.names(bucket) == ["in/data.csv", "in/data.csv.paceline-generated"]
    code, said = script("verify_test_data.py")
    assert code == 0 and "50 rows" in said
    assert script("cleanup_test_data.py")[0] == 0
    assert aws.names(bucket) == []
    code, said = script("verify_test_data.py")
    assert code == 1 and "in/data.csv" in said


def test_other_flags_are_passed_on(script, tmp_path):
    more = ["--seed", "7", "--null-percent", "50"]
    assert script("generate_test_data.py", "--records", "30", "--out", str(tmp_path / "x.csv"), *more)[0] == 0
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert len(lines) == 31 and sum("@" not in line for line in lines[1:]) > 5


def test_an_output_that_is_not_exact_fails(script, tmp_path):
    assert script("generate_test_data.py", "--records", "30", "--out", str(tmp_path / "x.csv"))[0] == 0
    code, said = script("verify_test_data.py", "--input", str(tmp_path / "x.csv"), "--output", str(tmp_path / "out"))
    assert code == 1 and "error: " in said


def test_what_the_program_does_not_know_is_refused(script):
    code, said = script("generate_test_data.py", "--colour", "red")
    assert code == 2 and "--colour" in said


def test_without_a_program_it_is_said_where_to_get_one(script, monkeypatch):
    environment = {name: value for name, value in os.environ.items() if name != "PACELINE_BIN"}
    command = [sys.executable, SCRIPTS / "verify_test_data.py"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 1 and "install the wheel paceline-glue" in done.stdout
