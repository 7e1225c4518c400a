"""The probe tells of a machine without Spark, and shows no values."""

import json
import sys

import pytest

from paceline.glue import probe, spark


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


def test_without_spark_the_workers_cannot_be_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(spark.NoSpark, match="needs an ETL job of Glue"):
        spark.spark_context()
