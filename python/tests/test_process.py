"""The launcher and the program live and die together, and a run that Glue tries again goes on where it stopped."""

import json
import os
import signal

import pytest
from environment import mock_api, paceline, stats, wait_for
from launched import Launched, written_down

RECORDS = 900
JOB = """
CREATE TEMPORARY VIEW records USING csv OPTIONS (path '{folder}/in.csv', header 'true', inferSchema 'true');
CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
  USING API OPTIONS (endpoint '{api}', rate_limit_calls '${{rate}}');
INSERT OVERWRITE DIRECTORY '{folder}/{out}' USING parquet SELECT *, enrich(id, email) AS answer FROM records;
"""


def statements(folder, *arguments, rate="200"):
    """A launcher of the job in a folder."""
    return Launched(folder, "--paceline-job", str(folder / "job.sql"), "--paceline-var", f"rate={rate}", *arguments)


@pytest.fixture
def api():
    with mock_api("--latency-ms", "5") as url:
        yield url


@pytest.fixture
def folder(tmp_path, api):
    paceline("data", "generate", "--records", RECORDS, "--out", tmp_path / "in.csv")
    (tmp_path / "job.sql").write_text(JOB.format(folder=tmp_path, api=api, out="out"))
    return tmp_path


def in_the_midst(launched, api):
    """Waits until half of the records have been sent."""
    wait_for(lambda: stats(api)["requests"] > RECORDS / 2 or launched.process.poll() is not None, "half of the records")
    assert launched.process.poll() is None, launched.end()


def exact(folder):
    said = paceline("data", "verify", folder / "in.csv", folder / "out", "--arguments", "id,email")
    assert "every row is there exactly once" in said


def test_a_complete_job_ends_with_0_and_a_report(folder):
    launched = statements(folder, "--paceline-report", "report.json", rate="unlimited")
    assert launched.end()[0] == 0
    assert json.loads((folder / "report.json").read_text())["records_written"] == RECORDS
    exact(folder)


def test_a_killed_launcher_takes_its_program_along(folder, api):
    launched = statements(folder)
    in_the_midst(launched, api)
    assert launched.program()
    launched.process.kill()
    assert launched.end()[0] == -signal.SIGKILL
    assert not list(folder.glob("out/part-*"))


def test_a_stopped_launcher_lets_its_program_end_in_order(folder, api):
    launched = statements(folder)
    in_the_midst(launched, api)
    launched.process.terminate()
    code, said = launched.end()
    assert code == 128 + signal.SIGTERM and "nothing of the statement that was running is visible" in said


def test_a_killed_program_is_a_failed_job(folder, api):
    launched = statements(folder)
    in_the_midst(launched, api)
    [program] = launched.program()
    os.kill(program, signal.SIGKILL)
    code, said = launched.end()
    assert code == 128 + signal.SIGKILL and "the job is not complete (signal 9)" in said


@pytest.mark.parametrize("checkpoint", [True, False], ids=["with checkpoints elsewhere", "with those beside the output"])
def test_the_next_attempt_goes_on_on_another_machine(folder, api, checkpoint, monkeypatch):
    at = ["--paceline-checkpoint", str(folder / "checkpoints")] if checkpoint else []
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "first"))
    first = statements(folder, "--JOB_RUN_ID", "jr_9", *at)
    written_down(first, lambda: list(folder.glob("**/journal-*/*")))
    first.process.kill()
    first.end()
    sent = stats(api)["requests"]
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "second"))
    again = statements(folder, "--JOB_RUN_ID", "jr_9_attempt_1", "--paceline-report", "report.json", *at)
    code, said = again.end()
    assert code == 0, said
    report = json.loads((folder / "report.json").read_text())
    assert report["job_id"] == "jr_9" and report["answers_reused"] > 0
    # At most the last second's answers and what was in flight are asked for again.
    assert stats(api)["requests"] - sent == report["requests"] < RECORDS
    exact(folder)


def test_an_attempt_after_one_that_did_nothing_begins_afresh(folder):
    again = statements(folder, "--JOB_RUN_ID", "jr_9_attempt_1", "--paceline-checkpoint", str(folder / "checkpoints"), rate="unlimited")
    code, said = again.end()
    assert code == 0 and "it begins afresh" in said, said
    exact(folder)


def test_wrong_arguments_end_with_2(folder):
    code, said = statements(folder, "--paceline-workers", "all").end()
    assert code == 2 and said.startswith("paceline.glue: argument --paceline-workers: invalid choice: 'all'")
