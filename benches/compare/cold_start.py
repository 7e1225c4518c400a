"""Cold start: from the start of the process to the first row of a query, and to the first byte of the first request of a job."""

import dataclasses
import json
import shutil
import socket
import subprocess
import time

import psutil

from .api_job import ApiJob, records
from .contenders import SPARK, program
from .processes import Failed
from .statements import carried_out
from .tpch import tables_of

PATIENCE = 120  # seconds for a request to come


@dataclasses.dataclass(frozen=True)
class ColdStart:
    """One scenario: `what` is "row" or "request"."""

    name: str
    title: str
    what: str
    contenders: tuple
    rounds: int = 5

    kind = "start"

    def run(self, field, work, rounds, say):
        folder = work / "start"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        runs = {contender: [] for contender in self.contenders}
        once = first_row if self.what == "row" else first_request
        for contender in self.contenders:  # warms up the page cache
            once(field, work, folder, contender)
        for number in rounds:
            for contender in self.contenders:
                seconds = once(field, work, folder, contender)
                runs[contender].append({"seconds": seconds})
                say(f"{contender}, round {number + 1}: {seconds:.3f} s")
        shutil.rmtree(folder)
        return runs

    def problems(self, runs):
        return ()


def first_row(field, work, folder, contender):
    tables = {"region": tables_of(field, work, 0.01)["region"]}
    _, ready, answers = carried_out(field, folder, contender, tables, [("first", "SELECT r_name FROM region WHERE r_regionkey = 1")])
    if answers[0]["rows"] != ["AMERICA"]:
        raise Failed(f"{contender}: {answers[0]}")
    return ready + answers[0]["seconds"]


def first_request(field, work, folder, contender):
    """The listener answers nothing: the job is ended when its first request has begun."""
    source, output = records(field, work, 1000), folder / "enriched"
    shutil.rmtree(output, ignore_errors=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        if contender == "paceline":
            command = [field.paceline, "run", ApiJob("start", "", 1000, calls=5000).script(folder, source, output, endpoint)]
        else:
            options = {"endpoint": endpoint, "rows_a_request": 1, "in_flight": 64, "calls_a_second": 5000}
            name = {"pyspark": "pyspark_job", "asyncio": "asyncio_job"}[contender]
            command = program(name, source, output, json.dumps(options))
        environment = {**psutil.Process().environ(), **SPARK, "XDG_STATE_HOME": str(folder)}
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
            return time.monotonic() - started
        except TimeoutError:
            raise Failed(f"{contender} sent no request within {PATIENCE} s") from None
        finally:
            family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            for one in family:
                one.kill()
            process.wait()
            psutil.wait_procs(family, timeout=30)


def scenarios():
    yield ColdStart("start-request", "process start to the first request", "request", ("paceline", "pyspark", "asyncio"))
    yield ColdStart("start-row", "process start to the first row", "row", ("paceline", "datafusion", "sail", "pyspark"))


def quick():
    yield ColdStart("quick-start", "process start to the first request", "request", ("paceline", "asyncio"), rounds=1)
