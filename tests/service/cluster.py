"""A scheduler and an executor on free ports, as a user starts them, and what they say of themselves."""

import json
import os
import re
import subprocess
import threading
import time
import urllib.request

BINARY = os.environ["PACELINE"]
SAID = {
    "scheduler": re.compile(r"scheduler at df://(\S+)"),
    "page": re.compile(r"page at (\S+)"),
    "flight": re.compile(r"Flight SQL at (\S+)"),
    "metrics": re.compile(r"metrics at (\S+)"),
    "api": re.compile(r"(http://127\.0\.0\.1:\d+\S*)"),
}


def until(found, seconds=60):
    """What `found` returns, when that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {seconds} s")


class Process:
    """A process and its output so far."""

    def __init__(self, folder, flags, env):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen([BINARY, *flags], env=env, cwd=folder, **pipes)
        self.text = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.text += line

    def says(self, what):
        def look():
            match = SAID[what].search(self.text)
            assert match or self.process.poll() is None, f"it ended: {self.text}"
            return match and match[1]

        return until(look)

    def peak_rss(self):
        """Most memory that it ever had, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

    def kill(self):
        self.process.kill()
        self.process.wait()


class Cluster:
    def __init__(self, folder, token=None, conf=(), executors=1):
        self.folder, self.token, self.processes = folder, token, []
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("PACELINE_", "AWS_"))}
        self.env |= {"XDG_STATE_HOME": str(folder / "state")} | ({"PACELINE_TOKEN": token} if token else {})
        try:
            self.begin([flag for pair in conf for flag in ("--conf", pair)], executors)
        except BaseException:
            self.end()
            raise

    def begin(self, confs, executors):
        self.scheduler = self.start("scheduler", "--bind", "127.0.0.1:0", "--state-dir", str(self.folder / "kept"), *confs)
        at = self.scheduler.says("scheduler")
        self.page, self.flight = self.scheduler.says("page"), self.scheduler.says("flight")
        flags = ["--scheduler", at, "--slots", "2", "--metrics-port", "0", *confs]
        self.executors = [self.start("executor", "--work-dir", str(self.folder / f"work-{number}"), *flags) for number in range(executors)]
        until(lambda: len(self.ask("/api/v1/executors")["executors"] or []) == executors)

    def start(self, *flags):
        process = Process(self.folder, flags, self.env)
        self.processes.append(process)
        return process

    def mock_api(self, *flags):
        return self.start("mock-api", "--port", "0", *flags).says("api")

    def text(self, url, body=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers), timeout=30) as reply:
            return reply.read().decode()

    def ask(self, path, body=None):
        return json.loads(self.text(self.page + path, body))

    def run(self, *flags):
        """A command to its end; what it printed."""
        done = subprocess.run([BINARY, *flags], env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self):
        for process in reversed(self.processes):
            process.kill()
