"""The command line out of the extension: the same commands as the program, with its exit codes."""

import json
import os
import subprocess
import sys

import pytest
from environment import cluster, mock_api


def paceline(*arguments, **environment):
    command = [sys.executable, "-m", "paceline", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, **environment})


def test_it_is_the_program():
    assert paceline("--version").stdout.startswith("paceline ")
    helped = paceline("--help")
    assert helped.returncode == 0 and "mock-api" in helped.stdout
    rows = paceline("sql", "--format", "json", "-e", "SELECT 1 AS a")
    assert (rows.returncode, rows.stdout) == (0, '{"a":1}\n')


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(("no-such",), 2, "unrecognized subcommand"), (("run", "/no/such.sql"), 1, "cannot read /no/such.sql"), ((), 2, "Usage")],
)
def test_mistakes_have_their_codes(arguments, code, words):
    done = paceline(*arguments)
    assert done.returncode == code and words in done.stderr


def test_a_job_runs_and_reports(tmp_path):
    with mock_api("--latency-ms", "1") as api:
        (tmp_path / "job.sql").write_text(
            "CREATE TEMPORARY FUNCTION f(id BIGINT) RETURNS STRUCT<status: STRING> USING API OPTIONS "
            f"(endpoint '{api}', rate_limit_calls '5000');\n"
            f"INSERT OVERWRITE DIRECTORY '{tmp_path}/out' USING parquet SELECT id, f(id) AS answer FROM range(100);"
        )
        done = paceline("run", tmp_path / "job.sql", "--report", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["records_written"] == 100


def test_a_cluster_starts_its_processes_as_itself(tmp_path):
    """Scheduler and executors are this Python, with the extension."""
    with cluster(tmp_path, [sys.executable, "-m", "paceline"]) as at:
        rows = subprocess.run(
            [sys.executable, "-c", f"import paceline; print(paceline.Session(cluster={at!r}).sql('SELECT 41 + 1 AS a').collect())"],
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert rows.stdout == "[Row(a=42)]\n", rows.stderr
