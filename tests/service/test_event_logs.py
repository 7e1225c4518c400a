"""Every command that runs a job writes its event log where it is told to, and the page of finished jobs shows them."""

import json
import os
import signal
import socket
import subprocess
import urllib.request

import pytest
from cluster import BINARY, Process, until


@pytest.fixture
def env(tmp_path):
    return {name: value for name, value in os.environ.items() if not name.startswith("PACELINE_")} | {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def processes():
    started = []
    yield started
    for process in started:
        process.kill()


def run(tmp_path, env, *flags):
    done = subprocess.run([BINARY, *flags], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def shown(tmp_path, env, processes, folder):
    """The jobs on the page of a folder of event logs, by name."""
    page = Process(tmp_path, ["ui", folder, "--port", "0"], env)
    processes.append(page)
    url = page.says("api").rstrip("/.")
    with urllib.request.urlopen(f"{url}/api/v1/jobs", timeout=30) as reply:
        return {job["job_name"]: job for job in json.load(reply)["jobs"]}


def test_the_demo_has_one(tmp_path, env, processes):
    run(tmp_path, env, "demo", "--records", "300", "--rate", "1000", "--latency-ms", "5", "--event-log", "logs")
    job = shown(tmp_path, env, processes, "logs")["demo"]
    assert (job["state"], job["records"], job["requests"]) == ("SUCCEEDED", 300, 300)


def test_a_redrive_has_one_beside_the_job_s(tmp_path, env, processes):
    api = Process(tmp_path, ["mock-api", "--port", "0", "--latency-ms", "1", "--fail-percent", "30"], env)
    processes.append(api)
    ids = "".join(f"{id}\n" for id in range(1, 101))
    (tmp_path / "records.csv").write_text(f"id\n{ids}")
    (tmp_path / "job.sql").write_text(f"""
        CREATE TEMPORARY VIEW records (id BIGINT) USING csv OPTIONS (path 'records.csv', header 'true');
        CREATE TEMPORARY FUNCTION f(id BIGINT) RETURNS STRUCT<status: STRING> USING API OPTIONS (endpoint '{api.says("api")}',
          rate_limit_calls 'unlimited', retry_max_attempts '1', breaker 'off', max_failed_percent '100');
        INSERT OVERWRITE DIRECTORY 'out' USING json SELECT id, f(id) AS answer FROM records;""")
    logs = ["--conf", "paceline.eventlog.dir=logs"]
    run(tmp_path, env, "run", "job.sql", "--job-id", "first", "--report", "report.json", *logs)
    failed = json.loads((tmp_path / "report.json").read_text())["records_failed"]
    assert failed > 0
    run(tmp_path, env, "redrive", "first", *logs)
    jobs = shown(tmp_path, env, processes, "logs")
    assert (jobs["first"]["records"], jobs["first"]["failed"]) == (100, failed)
    assert (jobs["redrive of first"]["state"], jobs["redrive of first"]["requests"]) == ("SUCCEEDED", failed)


def test_jobs_are_not_kept_on_s3(tmp_path, env):
    for command in (["scheduler", "--bind", "127.0.0.1:0"], ["cluster", "--port", "0"]):
        done = subprocess.run([BINARY, *command, "--state-dir", "s3://bucket/jobs"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30)
        assert done.returncode != 0 and "jobs are kept on a disk" in done.stderr, done.stderr


def test_executors_of_a_cluster_show_metrics_on_ports_in_a_row(tmp_path, env, processes):
    def free():
        """A port that is free, as is the next."""
        while True:
            with socket.create_server(("127.0.0.1", 0)) as one:
                port = one.getsockname()[1]
                try:
                    socket.create_server(("127.0.0.1", port + 1)).close()
                    return port
                except OSError:
                    continue

    port = free()
    cluster = Process(tmp_path, ["cluster", "--port", "0", "--number-of-workers", "3", "--metrics-port", str(port)], env)

    def metrics(port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
                return "paceline_executor_slots" in reply.read().decode()
        except OSError:
            return False

    try:
        until(lambda: metrics(port) and metrics(port + 1))
    finally:
        cluster.process.send_signal(signal.SIGTERM)
        cluster.process.wait(90)
