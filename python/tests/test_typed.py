"""The types of the package: it is checked with mypy's strict rules, and so is what its users write."""

import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = Path(__file__).parents[1]

USED = """
import pandas
import paceline

session = paceline.Session(conf={"spark.sql.ansi.enabled": True}, cluster=None)
session.api_function("f", {"id": "BIGINT"}, returns="STRING", endpoint="https://api.example.com", rate_limit_calls=5)
answered = paceline.process(pandas.DataFrame(), "https://api.example.com", quota="vendor")
df: paceline.DataFrame = session.sql("SELECT 1 AS a")
rows: list[paceline.Row] = df.collect()
number: int = df.count()
written: paceline.DataFrameWriter = df.write.mode("append").partitionBy("a")
try:
    df.show(5, truncate=False)
except paceline.APIError as error:
    name: str | None = error.error_class
"""


def mypy(*arguments):
    command = [sys.executable, "-m", "mypy", "--config-file", PYTHON / "pyproject.toml", *arguments]
    done = subprocess.run(list(map(str, command)), cwd=PYTHON, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def test_what_users_write_is_checked(tmp_path):
    (tmp_path / "used.py").write_text(USED)
    code, said = mypy("--cache-dir", tmp_path / "cache", tmp_path / "used.py")
    assert code == 0, said


@pytest.mark.parametrize(
    "line", ["paceline.Session(conf=1)", "paceline.process('in.csv', '', quota=1)", "session.sql(1)", "df.count().upper()", "df.nothing"]
)
def test_mistakes_are_found(tmp_path, line):
    (tmp_path / "used.py").write_text(USED + line + "\n")
    code, said = mypy("--cache-dir", tmp_path / "cache", tmp_path / "used.py")
    assert code == 1 and f"used.py:{len(USED.splitlines()) + 1}: error" in said, said


def test_the_stub_says_what_the_extension_has():
    """mypy's stubtest loads both."""
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-disjoint-bases", "paceline._native"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
