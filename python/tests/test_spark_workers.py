"""Executors on the workers of a real Spark 3.5: exact, and nothing of them is left, however the driver ends."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from classic import ClassicJob
from environment import MARK, running, stats, wait_for

pytestmark = pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 8, 11 or 17, and there is none in PATH")
# Spark needs some time to start three Java machines on a small one, in seconds.
STARTS_WITHIN = 480
# What is left alone has three seconds to end in order; Spark's own processes notice in some seconds more.
ENDS_WITHIN = 60


class Driver:
    """The script in a process of its own."""

    def __init__(self, mode, folder, api):
        self.mark = uuid.uuid4().hex
        own = {MARK: self.mark, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": str(folder / "work")}
        own["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        own["TZ"] = "UTC"
        script = Path(__file__).with_name("spark_driver.py")
        self.log = folder / "driver.log"
        with self.log.open("w") as log:
            command = [sys.executable, script, mode, folder, api, self.mark]
            self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT)

    def said(self):
        return self.log.read_text(errors="replace")

    def everything_ends(self):
        wait_for(lambda: not running(self.mark), f"the end of {running(self.mark)}", ENDS_WITHIN)


@pytest.fixture
def drive(tmp_path, api):
    """Starts a driver; when the test fails, its processes are ended."""
    started = []

    def start(mode):
        driver = Driver(mode, tmp_path, api)
        started.append(driver)
        return driver

    yield start
    for driver in started:
        for id in running(driver.mark):
            with suppress(ProcessLookupError):
                os.kill(id, signal.SIGKILL)
        driver.process.wait()


def test_spark_to_paceline_on_its_workers_and_back(drive):
    driver = drive("mixed")
    code = driver.process.wait(STARTS_WITHIN)
    said = driver.said()
    assert code == 0 and [word for word in ("EQUAL", "PROBED", "RAISED", "GOES ON") if word not in said] == [], said
    assert "2 of 3 executors are there, and the job goes on with them: Spark has not started more" in said
    driver.everything_ends()


@pytest.mark.usefixtures("on_aws")
def test_the_classic_job_on_the_workers(drive, aws, bucket, api, monkeypatch):
    job = ClassicJob(aws, bucket, api, 500)
    for name, value in {"source_bucket": bucket, "source_key": "in/records.csv", "api_endpoint": api}.items():
        monkeypatch.setenv(name, value)
    driver = drive("classic")
    code = driver.process.wait(STARTS_WITHIN)
    assert code == 0 and "CLASSIC" in driver.said(), driver.said()
    assert "every row is there exactly once" in job.verify()
    driver.everything_ends()


def test_another_executor_comes_in_place_of_one_that_is_killed(drive, api):
    driver = drive("long")
    wait_for(lambda: stats(api)["requests"] > 50 or driver.process.poll() is not None, "requests", STARTS_WITHIN)
    [executor] = running(driver.mark, "paceline executor")
    os.kill(executor, signal.SIGKILL)
    code = driver.process.wait(STARTS_WITHIN)
    assert code == 0 and "COMPLETE" in driver.said(), driver.said()
    driver.everything_ends()


@pytest.mark.parametrize("killed", ["the script", "its Java machine"])
def test_nothing_is_left_of_a_killed_driver(drive, api, tmp_path, killed):
    driver = drive("long")
    wait_for(lambda: stats(api)["requests"] > 50 or driver.process.poll() is not None, "requests", STARTS_WITHIN)
    assert driver.process.poll() is None, driver.said()
    ours = [running(driver.mark, f"paceline {name}") for name in ("scheduler", "executor", "run")]
    assert [len(processes) for processes in ours] == [1, 1, 1]
    if killed == "the script":
        os.kill(driver.process.pid, signal.SIGKILL)
    else:
        [machine] = running(driver.mark, "org.apache.spark.deploy.SparkSubmit")
        os.kill(machine, signal.SIGKILL)
    assert driver.process.wait(ENDS_WITHIN) != 0
    driver.everything_ends()
    assert not list(tmp_path.glob("answered/part-*"))
