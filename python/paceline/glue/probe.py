"""Tells what only a real Glue can tell: the machine, where the wheel lies, what is set, and which workers reach which.

`python -m paceline.glue.probe`, or `paceline.glue.probe.main()` as the script of a job, prints one JSON object. Values of arguments and of
the environment are not shown, as they may be secrets.
"""

import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from functools import partial
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from paceline.glue import binary
from paceline.glue.cluster import address_of
from paceline.glue.meeting import Line, Meeting, join
from paceline.glue.spark import NoSpark, executors_by_host, spark_context

__all__ = ["main"]

# Settings of Spark that say how the job is laid out; others may hold secrets.
TOLD = (
    *("spark.master", "spark.submit.deployMode", "spark.driver.host", "spark.driver.memory", "spark.executor.instances"),
    *("spark.executor.cores", "spark.executor.memory", "spark.executor.memoryOverhead", "spark.task.cpus", "spark.speculation"),
    *("spark.dynamicAllocation.enabled", "spark.dynamicAllocation.maxExecutors", "spark.scheduler.mode", "spark.local.dir"),
)
# A worker that does not come or answer in so many seconds is one that cannot be reached.
MEET_WITHIN = 60
CONNECT_WITHIN = 5


def main() -> Dict[str, Any]:
    """Prints and returns what was found."""
    found: Dict[str, Any] = {
        "arguments": [text.partition("=")[0] for text in sys.argv[1:] if text.startswith("--")],
        "driver": machine(),
    }
    try:
        context = spark_context()
        conf = dict(context.getConf().getAll())
        found["spark"] = {name: conf[name] for name in TOLD if name in conf}
        found["workers"] = workers(context, address_of(context))
    except NoSpark as error:
        found["spark"] = str(error)
    print(json.dumps(found, indent=2))
    return found


def machine() -> Dict[str, Any]:
    """This machine, as a process of the job sees it."""
    free = shutil.disk_usage(tempfile.gettempdir())
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "glibc": platform.libc_ver()[1],
        "processors": os.cpu_count(),
        "processors_usable": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "disk_bytes": {"total": free.total, "free": free.free, "at": tempfile.gettempdir()},
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "user": os.getuid(),
        "folder": {"at": os.getcwd(), "writable": os.access(".", os.W_OK)},
        "environment": sorted(os.environ),
        "program": program(),
    }


def program() -> Dict[str, Any]:
    """Where the program is, and whether it runs."""
    try:
        found = binary.find()
        said = subprocess.run([found, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        return {"at": str(found), "says": said.stdout.strip(), "exit_code": said.returncode}
    except (binary.BinaryNotFound, OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}


def workers(context: Any, host: str) -> List[Dict[str, Any]]:
    """Each worker's machine, and whom of the others it reaches: a Spark job in which all tasks meet."""
    tasks = sum(executors_by_host(context).values())
    come: List[Tuple[Any, str]] = []
    done: List[Any] = []
    changed = threading.Condition()

    def heard(line, message):
        with changed:
            if message and "at" in message:
                come.append((line, message["at"]))
            elif message is None or "done" in message:
                done.append(line)
            changed.notify_all()

    secret = os.urandom(16).hex()
    meeting = Meeting(host, secret, heard)

    def introduce():
        with changed:
            changed.wait_for(lambda: len(come) == tasks, MEET_WITHIN)
            for line, _ in come:
                line.send({"others": [at for _, at in come]})
            # Who has tried all others stays for those who have not.
            changed.wait_for(lambda: {line for line, _ in come} <= set(done), MEET_WITHIN)
            for line, _ in come:
                line.send({"leave": True})

    threading.Thread(target=introduce, daemon=True).start()
    try:
        return context.parallelize(range(tasks), tasks).mapPartitions(partial(visit, meeting.address, secret)).collect()
    finally:
        meeting.close()


def visit(driver: Tuple[str, int], secret: str, _: Iterable[int]) -> Iterator[Dict[str, Any]]:
    """One worker: it listens, learns of the others, and tries to reach each."""
    line = join(driver, secret, {"hello": True})
    with socket.create_server((line.socket.getsockname()[0], 0)) as listener:
        at = "{}:{}".format(*listener.getsockname()[:2])
        line.send({"at": at})
        line.socket.settimeout(2 * MEET_WITHIN)
        reached = {other: reaches(other) for other in wait_for(line, "others") or [] if other != at}
        line.send({"done": True})
        wait_for(line, "leave")
    line.close()
    yield {"at": at, "reaches": reached, **machine()}


def wait_for(line: Line, what: str) -> Any:
    """What the driver says of something; `None` when it is gone, or says nothing for too long."""
    try:
        while True:
            for message in line.receive():
                if what in message:
                    return message[what]
    except EOFError:
        return None


def reaches(other: str) -> str:
    """`yes`, or why not."""
    host, _, port = other.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_WITHIN).close()
        return "yes"
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    main()
