"""The processes of a comparison: those that are measured, and those that stand beside them, the API and a cluster."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.request

PACKAGE = pathlib.Path(__file__).resolve().parent
ROOT = PACKAGE.parent.parent
TIMEOUT = 3600  # seconds for one run


class Failed(Exception):
    """A command that did not do what it was there for."""


def measured(command, folder, *, beside=(), env=None, timeout=TIMEOUT):
    """Runs a command under the supervisor and returns its figures; it must succeed."""
    out, errors = folder / "measured.json", folder / "stderr.log"
    out.unlink(missing_ok=True)
    flags = [part for pid in beside for part in ("--beside", str(pid))]
    supervised = [sys.executable, "-m", "compare.supervisor", out, *flags, "--timeout", timeout, "--", *command]
    with errors.open("w", encoding="utf-8") as log:
        supervisor = subprocess.Popen(
            [str(part) for part in supervised],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, **(env or {}), "PYTHONPATH": str(PACKAGE.parent)},
        )
        try:
            supervisor.wait()
        finally:  # it ends what it started before it ends itself
            supervisor.terminate()
            supervisor.wait()
    said = errors.read_text(encoding="utf-8", errors="replace")[-3000:]
    if not out.exists():
        raise Failed(f"{command[0]} could not be started:\n{said}")
    figures = json.loads(out.read_text(encoding="utf-8"))
    if figures["code"] != 0:
        why = f"took more than {timeout} s" if figures["timed_out"] else f"ended with {figures['code']}"
        raise Failed(f"{' '.join(map(str, command))}\n{why}:\n{said}")
    return figures


@contextlib.contextmanager
def serving(command, says, folder, name):
    """Starts a server, waits until it says that it serves, and ends it with the block. Gives it and the word it said."""
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        said, word = [], None
        for line in process.stderr:
            said.append(line)
            word = next((part.rstrip(";,.") for part in line.split() if part.startswith(says)), None)
            if word:
                break
        if not word:
            raise Failed(f"{name} does not start: {''.join(said)}")
        # Read on: a process that cannot write its log may not go on.
        threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
        yield process, word
    finally:
        process.terminate()
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class MockApi:
    """`paceline mock-api` in a process of its own, and what it counted."""

    def __init__(self, url):
        self.url = url

    @classmethod
    @contextlib.contextmanager
    def started(cls, paceline, folder, latency_ms=0, fail_percent=0):
        command = [paceline, "mock-api", "--port", "0", "--latency-ms", latency_ms, "--fail-percent", fail_percent]
        with serving(command, "http://", folder, "the API") as (_, url):
            yield cls(url)

    def post(self, body):
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def received(self):
        """What arrived since it was last asked."""
        with urllib.request.urlopen(self.url.replace("/process", "/stats")) as reply:
            stats = json.load(reply)
        urllib.request.urlopen(urllib.request.Request(self.url.replace("/process", "/reset"), method="POST")).close()
        return stats


@contextlib.contextmanager
def cluster(paceline, folder, executors):
    """`paceline cluster` with so many executors; gives where it is and the process to measure beside the client."""
    command = [paceline, "cluster", "--number-of-workers", executors + 1, "--port", 0, "--ui-port", 0]
    command += ["--state-dir", folder / "state", "--work-dir", folder, "--log-dir", folder / "logs", "--stop-within", 5]
    with serving(command, "df://", folder, "the cluster") as (process, address):
        yield address, process.pid
