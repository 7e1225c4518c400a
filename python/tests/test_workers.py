"""What is told of a machine without Spark, of what Spark says, and of workers that are there for nothing."""

import json
import sys

import pytest

from paceline.glue import JobFailed, main, probe, spark


def test_a_python_shell_job_is_told_of(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["probe.py", "--JOB_NAME", "nightly", "--password=hunter2"])
    monkeypatch.setenv("API_PASSWORD", "hunter2")
    monkeypatch.setitem(sys.modules, "pyspark", None)  # as where it is not installed
    found = probe.main()
    said = capsys.readouterr().out
    assert json.loads(said) == json.loads(json.dumps(found)) and "hunter2" not in said
    assert found["arguments"] == ["--JOB_NAME", "--password"] and "API_PASSWORD" in found["driver"]["environment"]
    assert found["driver"]["program"]["exit_code"] == 0 and found["driver"]["program"]["says"].startswith("paceline ")
    assert "a python-shell job has one worker" in found["spark"]


def test_a_place_that_cannot_be_reached_is_told_with_the_reason():
    assert "refused" in probe.reaches("127.0.0.1:1")


def test_without_spark_the_workers_cannot_be_used(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(spark.NoSpark, match="needs an ETL job of Glue"):
        spark.spark_context()
    (tmp_path / "job.sql").write_text("SELECT 1 AS a;")
    with pytest.raises(JobFailed, match="needs an ETL job of Glue"):
        main(["script.py", "--paceline-job", str(tmp_path / "job.sql"), "--paceline-workers", "spark"])


def test_workers_that_have_nothing_to_do_are_told_of(tmp_path, capsys):
    (tmp_path / "job.sql").write_text("SELECT 1 AS a;")
    given = ["script.py", "--paceline-job", str(tmp_path / "job.sql"), "--paceline-number-of-workers"]
    main([*given, "10"])
    assert "9 of 10 workers have nothing to do" in capsys.readouterr().err
    main([*given, "2"])
    assert "nothing to do" not in capsys.readouterr().err


TASK = """An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: \
Lost task 0.3 in stage 0.0 (TID 3) (10.0.0.7 executor 1): org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 100, in main
{error}

\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:572)
"""


@pytest.mark.parametrize(
    "said, why",
    [
        (TASK.format(error="OSError: [Errno 28] No space left on device"), "OSError: [Errno 28] No space left on device"),
        (
            TASK.format(error="ModuleNotFoundError: No module named 'paceline'"),
            "ModuleNotFoundError: No module named 'paceline': the workers need the wheel too, as --additional-python-modules brings it",
        ),
        ("Answer from Java side is empty", "Answer from Java side is empty"),
        ("", "Exception"),
    ],
)
def test_a_failed_spark_job_is_told_of_in_a_line(said, why):
    assert spark.reason(Exception(said)) == why
