"""What a task on one of Glue's workers does: it runs `paceline executor` there until the driver says stop, or is gone.

The program ends with this process, however that ends: this process holds the other end of the program's standard input.
"""

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from paceline.glue import binary
from paceline.glue.meeting import Line, join

__all__ = ["Terms", "serve"]

# What the program logs when its scheduler knows it, and what makes it log that.
REGISTERED = "Executor registration succeed"
LOG = "warn,ballista_executor::executor_server=info"
# Of a program that does not end, in seconds: after this it is killed.
ENDS_WITHIN = 20.0
LINES_KEPT = 10


@dataclass(frozen=True)
class Terms:
    """What every task is told. It travels within the task, never in a setting, as it has the cluster's token."""

    application: str
    meeting: Tuple[str, int]
    token: str
    scheduler: str
    arguments: Tuple[str, ...]


def serve(terms: Terms, wave: int, partitions: Iterable[int]) -> Iterator[Dict[str, Any]]:
    """Runs an executor, or nothing where this worker has one. Yields how it ended."""
    partition = next(iter(partitions))
    claim = _claim(terms.application)
    hello: Dict[str, Any] = {"wave": wave, "partition": partition, "pid": os.getpid(), "host": socket.gethostname()}
    if claim is None:
        line = join(terms.meeting, terms.token, {**hello, "doubled": True})
        _until(line, "leave")
        return
    with claim:
        try:
            program = binary.find()
            version = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        except (binary.BinaryNotFound, OSError, subprocess.CalledProcessError) as error:
            join(terms.meeting, terms.token, {**hello, "failed": str(error)}).close()
            return
        line = join(terms.meeting, terms.token, {**hello, "version": version})
        yield _run(terms, [str(program)], line)


def _claim(application):
    """One executor for each of Spark's: their Python processes have one parent. The claim ends with this process."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0paceline-{application}-{os.getppid()}")
    except OSError:
        claim.close()
        return None
    return claim


def _until(line: Line, word: str):
    try:
        while all(message.get("say") != word for message in line.receive()):
            pass
    except EOFError:
        pass


def _run(terms, program, line) -> Dict[str, Any]:
    """Runs the program until it ends; tells the driver when it is ready and when it has ended."""
    here = line.socket.getsockname()[0]
    disks = os.environ.get("SPARK_LOCAL_DIRS") or os.environ.get("LOCAL_DIRS") or tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="paceline-executor-", dir=disks.split(",")[0])
    command = [*program, "executor", "--scheduler", terms.scheduler, "--bind", here, "--host", here]
    command += ["--work-dir", folder, "--until-stdin-closes", *terms.arguments]
    environment = {**os.environ, "PACELINE_TOKEN": terms.token, "PACELINE_LOG": os.environ.get("PACELINE_LOG", LOG)}
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, env=environment, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe)
    said: deque[str] = deque(maxlen=LINES_KEPT)
    try:
        line.send({"started": child.pid})
        _watch(child, line, said)
        code = child.wait()
        line.send({"ended": code, "said": list(said)})
        line.close()
        return {"ended": code}
    finally:
        child.kill()
        child.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _watch(child, line, said):
    """Hears both, until the program has nothing more to say. A driver that is gone is as good as one that says stop."""
    heard: List[Any] = [child.stderr, line]
    rest, deadline = b"", None
    while True:
        wait = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = select.select(heard, [], [], wait)[0]
        if not ready and deadline is not None:
            child.kill()
            deadline = None
        if line in ready:
            try:
                stops = any(message.get("say") == "stop" for message in line.receive())
            except EOFError:
                stops = True
                heard.remove(line)
            if stops and deadline is None:
                deadline = time.monotonic() + ENDS_WITHIN
                _tell(child)
        if child.stderr in ready:
            read = os.read(child.stderr.fileno(), 1 << 16)
            if not read:
                return
            *whole, rest = (rest + read).split(b"\n")
            for text in (part.decode(errors="replace") for part in whole):
                print(text, file=sys.stderr, flush=True)
                said.append(text)
                if REGISTERED in text:
                    line.send({"ready": True})


def _tell(child):
    """A line asks the program to stop in order."""
    try:
        child.stdin.write(b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        pass
