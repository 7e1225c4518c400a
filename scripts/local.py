#!/usr/bin/env python3
"""The local environment without containers: starts the command lines of docker/docker-compose.yml on the loopback interface.

`local.py up` starts S3, the mock API and a cluster of three workers; `local.py test` runs a job on it, exactly once checked, and the
tests that take an S3; `local.py down` ends it all. S3_PORT, API_PORT, CLUSTER_PORT and UI_PORT choose other ports than 4566, 8080, 50050
and 4040. What runs is kept in .local/, logs are in logs/.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker" / "docker-compose.yml"
# What each service says when it serves.
SERVES = {"localstack": "Running on", "mock-api": "POST records to", "spark": "cluster at df://"}
# Names and addresses that only containers have.
ELSEWHERE = re.compile(r"(?<=//)(localstack|mock-api)(?=:)|\b(0\.0\.0\.0|172\.30\.77\.10)\b")
STARTS_WITHIN, ENDS_WITHIN = 90, 60  # seconds


class Local:
    """The environment, as it is kept in a folder."""

    def __init__(self, folder: Path):
        self.kept, self.logs = folder / ".local", folder / "logs"
        self.file = self.kept / "processes.json"
        self.compose = yaml.safe_load(COMPOSE.read_text())["services"]

    def here(self, text) -> str:
        """A text of the compose file, as it is outside of containers."""
        return ELSEWHERE.sub("127.0.0.1", interpolated(str(text))).replace("/app/logs", str(self.logs))

    def environment(self) -> dict:
        """Of whoever uses the environment: that of the service `spark`."""
        own = {name: self.here(value) for name, value in self.compose["spark"]["environment"].items()}
        return {**os.environ, **own, "XDG_STATE_HOME": str(self.kept / "state")}

    def up(self) -> None:
        """Starts what is not there. Where one of them does not come, all are ended."""
        if self.running():
            sys.exit(f"error: it runs already ({', '.join(self.running())}); end it with `make local-down`")
        for folder in (self.kept, self.logs):
            folder.mkdir(exist_ok=True)
        started = {}
        for service in SERVES:
            started[service] = self.start(service)
            self.file.write_text(json.dumps(started))
            if not self.serves(service, started[service]["pid"]):
                log = (self.logs / f"{service}.log").read_text()
                self.down()
                sys.exit(f"error: {service} does not start:\n{log}")
        own = {name: value for name, value in self.environment().items() if os.environ.get(name) != value}
        (self.kept / "environment").write_text("".join(f"export {name}='{value}'\n" for name, value in own.items()))
        print(f"S3 at {own['AWS_ENDPOINT_URL']}, API at {own['API_ENDPOINT']}, cluster at {own['PACELINE_CLUSTER']}")
        page = self.here("http://172.30.77.10:${UI_PORT:-4040}")
        print(f"page at {page}, which asks for the token {self.environment()['PACELINE_TOKEN']}")
        print(f"to use it: . {self.kept / 'environment'}")

    def start(self, service: str) -> dict:
        """Starts the command line of a service."""
        described = self.compose[service]
        command = [self.here(part) for part in described["command"]]
        if command[0] == "ministack":
            command[0] = str(Path(sys.executable).parent / "ministack")
        else:  # its image may have the program as its entry point
            command = [os.environ["PACELINE_BIN"], *(command[1:] if command[0] == "paceline" else command)]
        own = {name: self.here(value) for name, value in described.get("environment", {}).items()}
        environment = {**os.environ, **own, "XDG_STATE_HOME": str(self.kept / "state")}
        with (self.logs / f"{service}.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=self.kept, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return {"pid": process.pid, "since": since(process.pid)}

    def serves(self, service: str, pid: int) -> bool:
        """Waits until a service says that it is there; tells whether it is."""
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline and since(pid):
            if SERVES[service] in (self.logs / f"{service}.log").read_text():
                return True
            time.sleep(0.1)
        return False

    def running(self) -> dict:
        """The processes that were started and still run, by service."""
        started = json.loads(self.file.read_text()) if self.file.exists() else {}
        return {service: kept["pid"] for service, kept in started.items() if since(kept["pid"]) == kept["since"] is not None}

    def test(self) -> None:
        """Runs a job on the cluster and checks its output; then the tests that take an S3."""
        if len(self.running()) < len(SERVES):
            sys.exit("error: it does not run; start it with `make local-up`")
        environment = self.environment()
        bucket = f"s3://{environment['S3_BUCKET']}"
        statements = self.kept / "job.sql"
        statements.write_text(f"""
            CREATE TEMPORARY VIEW records USING csv
              OPTIONS (path '{bucket}/{environment["S3_KEY"]}', header 'true', inferSchema 'true');
            CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
              USING API OPTIONS (endpoint '{environment["API_ENDPOINT"]}', rate_limit_calls '500');
            INSERT OVERWRITE DIRECTORY '{bucket}/output/local/' USING parquet SELECT *, enrich(id, email) AS answer FROM records;""")
        s3 = f"--s3-endpoint={environment['AWS_ENDPOINT_URL']}"
        scripts, output = ROOT / "scripts", f"{bucket}/output/local/"
        steps = [
            [sys.executable, scripts / "generate_test_data.py", "--records", "1000"],
            [os.environ["PACELINE_BIN"], "run", statements, "--cluster", environment["PACELINE_CLUSTER"]],
            [sys.executable, scripts / "verify_test_data.py", "--output", output, "--arguments", "id,email"],
            [sys.executable, scripts / "cleanup_test_data.py", output],
            [sys.executable, scripts / "cleanup_test_data.py"],
            [sys.executable, "-m", "pytest", "-q", "tests/test_integration.py", s3],
        ]
        for step in steps:
            done = subprocess.run([str(part) for part in step], cwd=ROOT / "python", env=environment)
            if done.returncode:
                sys.exit(f"error: {' '.join(map(str, step))} ended with {done.returncode}")

    def down(self) -> None:
        """Ends what was started, the last first; what does not end in time is killed."""
        for service, pid in reversed(self.running().items()):
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + ENDS_WITHIN
            while since(pid) and time.monotonic() < deadline:
                time.sleep(0.1)
            if since(pid):
                os.kill(pid, signal.SIGKILL)
            print(f"{service} has ended")
        self.file.unlink(missing_ok=True)


def interpolated(text: str) -> str:
    """With the variables of the environment, or their defaults, as compose puts them in."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: os.environ.get(found[1]) or found[2], text)


def since(pid: int):
    """When a process was started, in ticks of the machine's clock, which tells it from a later one with its id; or None."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else int(fields[18])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["up", "test", "down"])
    parser.add_argument("--folder", type=Path, default=ROOT, help="where .local/ and logs/ are (default: %(default)s)")
    given = parser.parse_args()
    if given.what != "down" and not os.access(os.environ.get("PACELINE_BIN", ""), os.X_OK):
        sys.exit("error: PACELINE_BIN names no program; `make local-up` builds it and says where it is")
    getattr(Local(given.folder.resolve()), given.what)()
