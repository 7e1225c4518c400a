"""Runs one command and measures it with all that it starts: `python -m compare.supervisor OUT [--beside PID]… -- COMMAND…`.

Wall time is from the start of the process to its end. CPU seconds are the kernel's account of every process that was started, those
that outlive the command included (this process adopts them), and what processes of --beside with their children used meanwhile. The
kernel forgets processes whose parent ignores their end, as Python workers of Spark: where the sum of what all were last seen to have
used is more, it counts.
Memory is the sum of PSS over the tree (RSS, with pages that processes share divided between them), taken whenever the sum of RSS
reaches a new high; it is never less than what the kernel knows as the most of one process. OUT gets it as JSON, with each line of
standard output and when it came.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import threading
import time

import psutil

PR_SET_CHILD_SUBREAPER = 36
EVERY = 0.1  # seconds between two looks at the tree
NEW_HIGH = 1.01  # PSS costs the kernel a walk over the pages: only a sum of RSS that is 1 % above the last peak is worth it
LINGERS = 30  # seconds that processes may take to end after the command


def tree(roots):
    """The processes `roots` and what they started, without this one."""
    found = {}
    for root in roots:
        try:
            process = psutil.Process(root)
            for one in [process, *process.children(recursive=True)]:
                found[one.pid] = one
        except psutil.NoSuchProcess:
            continue
    found.pop(os.getpid(), None)
    return list(found.values())


def total(processes, figure):
    """The sum of a figure; processes that have ended meanwhile count nothing."""
    amount = 0
    for process in processes:
        try:
            amount += figure(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return amount


def cpu(process):
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


class Watch(threading.Thread):
    """Looks at the tree below this process, and at those beside it, until it is told that it is over."""

    def __init__(self, beside):
        super().__init__(daemon=True)
        self.beside, self.over = beside, threading.Event()
        self.rss = self.pss = self.processes = 0
        self.cpu = {}  # seconds that each process was last seen to have used itself

    def look(self):
        ours = tree([os.getpid()])
        for process in ours:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = process.cpu_times()
                self.cpu[process.pid, process.create_time()] = times.user + times.system
        processes = [*ours, *tree(self.beside)]
        rss = total(processes, lambda process: process.memory_info().rss)
        if rss > self.rss * NEW_HIGH:
            self.rss = rss
            self.pss = max(self.pss, total(processes, lambda process: process.memory_full_info().pss))
            self.processes = max(self.processes, len(processes))

    def run(self):
        while not self.over.wait(EVERY):
            self.look()


def reaped(deadline):
    """Waits until every child has ended; kills those that do not until the deadline."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > deadline:
                for process in tree([os.getpid()]):
                    process.kill()
            time.sleep(0.01)


def run(command, beside, timeout):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = total(tree(beside), cpu)
    watch = Watch(beside)
    watch.start()
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def end(*_):
        for one in tree([os.getpid()]):
            one.kill()

    def stopped(*_):
        end()
        os._exit(1)

    signal.signal(signal.SIGTERM, stopped)
    late = threading.Timer(timeout, end)
    late.daemon = True
    late.start()
    lines = []
    reader = threading.Thread(target=lambda: lines.extend((time.monotonic() - started, line.rstrip("\n")) for line in process.stdout))
    reader.start()
    process.wait()
    wall = time.monotonic() - started
    late.cancel()
    watch.over.set()
    watch.join()
    watch.look()
    reaped(time.monotonic() + LINGERS)
    reader.join()  # what the command started may hold its standard output longer than it does
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "code": process.returncode,
        "timed_out": wall >= timeout,
        "wall_s": wall,
        "cpu_s": max(used.ru_utime + used.ru_stime, sum(watch.cpu.values())) + total(tree(beside), cpu) - before,
        "peak_bytes": max(watch.pss, used.ru_maxrss * 1024),
        "processes": watch.processes,
        "lines": lines,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--beside", type=int, action="append", default=[])
    parser.add_argument("--timeout", type=float, default=3600)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    measured = run(given.command, given.beside, given.timeout)
    with open(given.out, "w", encoding="utf-8") as out:
        json.dump(measured, out)


if __name__ == "__main__":
    main()
