"""The local environment: what its images and its compose file say, and that the same command lines serve outside of containers."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import compose_spec
import pytest
import yaml
from environment import ENDS_WITHIN, MARK, running, wait_for
from local import interpolated

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


def test_the_dockerfile_has_no_faults():
    command = [Path(sys.executable).parent / "hadolint", "-c", DOCKER / "hadolint.yaml", DOCKER / "Dockerfile"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def compose():
    text = (DOCKER / "docker-compose.yml").read_text()
    checked = compose_spec.PyCompose.from_yaml(interpolated(text))
    checked.validate()
    found = yaml.safe_load(text)
    assert set(checked.service_names()) == set(found["services"])
    return found


def test_the_services_have_the_names_and_ports_that_the_python_project_had(compose):
    services = compose["services"]
    assert {"localstack", "spark", "mock-api"} <= set(services)
    assert services["localstack"]["ports"] == ["127.0.0.1:${S3_PORT:-4566}:${S3_PORT:-4566}"]
    assert services["spark"]["ports"][1] == "127.0.0.1:${UI_PORT:-4040}:${UI_PORT:-4040}"
    assert "./logs:/app/logs" in services["spark"]["volumes"]


def test_prometheus_and_grafana_are_told_of_each_other(compose):
    """Each config is of the form that its program reads, and of another service of the file."""
    services, configs = compose["services"], compose["configs"]
    for name in ("prometheus", "grafana"):
        assert all(config["source"] in configs for config in services[name]["configs"])
    [source] = told(compose, "grafana-source")["datasources"]
    assert source["type"] == "prometheus" and source["url"] == "http://prometheus:9090"
    [dashboards] = told(compose, "grafana-dashboards")["providers"]
    shown = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    assert f"{dashboards['options']['path']}/paceline.json" in shown
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in shown
    rules = {volume.split(":")[1] for volume in services["prometheus"]["volumes"]}
    assert set(told(compose, "prometheus")["rule_files"]) == rules


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool comes with Debian's package prometheus, and is not in PATH")
def test_prometheus_takes_its_config(compose, tmp_path):
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({**told(compose, "prometheus"), "rule_files": ["alerts.yml"]}))
    [rules] = [volume.split(":")[0] for volume in compose["services"]["prometheus"]["volumes"]]
    shutil.copy(DOCKER / rules, tmp_path / "alerts.yml")
    command = ["promtool", "check", "config", tmp_path / "prometheus.yml"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and "1 rule files found" in done.stdout, done.stdout


def told(compose, config):
    """What a config of the file says."""
    return yaml.safe_load(interpolated(compose["configs"][config]["content"]))


def test_images_and_mounts_are_there(compose):
    targets = {line.split()[-1] for line in (DOCKER / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")}
    for service in compose["services"].values():
        assert "image" in service or service["build"]["target"] in targets
        for volume in service.get("volumes", []):
            place = volume.split(":")[0]
            assert place == "./logs" or (DOCKER / place).exists(), volume


def test_no_port_is_open_to_other_machines(compose):
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name


@pytest.fixture
def local(tmp_path):
    """Calls the script in an environment of this test's own."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = [str(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    mark = tmp_path.name + str(os.getpid())
    environment = {**os.environ, **dict(zip(("S3_PORT", "API_PORT", "CLUSTER_PORT", "UI_PORT"), ports)), MARK: mark}

    def call(what, **more):
        command = [sys.executable, ROOT / "scripts" / "local.py", what, "--folder", tmp_path]
        log = tmp_path / "said"
        with log.open("w") as said:  # not a pipe, which what is started would hold open
            done = subprocess.run(list(map(str, command)), env={**environment, **more}, stdout=said, stderr=said, timeout=2 * ENDS_WITHIN)
        return done.returncode, log.read_text()

    yield call, mark, ports
    call("down")


def test_it_goes_up_runs_a_job_and_goes_down(local, compose, monkeypatch):
    call, mark, ports = local
    assert "it does not run" in call("test")[1]
    code, said = call("up")
    assert code == 0 and "cluster at df://127.0.0.1:" in said, said
    assert len(running(mark, "paceline executor")) == 2
    assert "it runs already" in call("up")[1]
    monkeypatch.setenv("UI_PORT", ports[3])
    assert scraped(compose)["paceline_executors"] == "2"
    code, said = call("test")
    assert code == 0 and "every row is there exactly once" in said, said
    code, said = call("down")
    assert code == 0 and said.splitlines() == [f"{service} has ended" for service in ("spark", "mock-api", "localstack")]
    wait_for(lambda: not running(mark), "the end of all", 10)


def scraped(compose):
    """What Prometheus would read, by name: of its only target, outside of containers, with its credentials."""
    [job] = told(compose, "prometheus")["scrape_configs"]
    [[target]] = [static["targets"] for static in job["static_configs"]]
    request = Request(f"http://{target.replace('172.30.77.10', '127.0.0.1')}/metrics")
    request.add_header("Authorization", f"Bearer {job['authorization']['credentials']}")
    with urlopen(request) as reply:
        lines = reply.read().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_what_does_not_start_is_shown_and_nothing_is_left(local):
    call, mark, _ = local
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = call("up", API_PORT=str(taken.getsockname()[1]))
    assert code == 1 and "error: mock-api does not start:" in said and "localstack has ended" in said, said
    wait_for(lambda: not running(mark), "the end of all", 10)
