"""Where and of what a measurement was made: processor, memory, versions, commit, and what else ran."""

import datetime
import os
import pathlib
import platform
import subprocess

import psutil

from .contenders import PACKAGES, java, version
from .processes import ROOT

WRITTEN = ("benches/compare/results", "docs/benchmarks", "docs/benchmarks.md")  # by the scenarios before, and no change of the program
LOOKS = 3  # seconds


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def about(field, profile):
    """Facts that stand beside every scenario's figures. The load has the scenarios before in it; how busy the processors are while
    nothing of ours runs says what else does."""
    binary = subprocess.run([field.paceline, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    return {
        "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": git("rev-parse", "--short=7", "HEAD"),
        "changed": bool(git("status", "--porcelain", "--untracked-files=no", "--", ".", *(f":!{path}" for path in WRITTEN))),
        "profile": profile,
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
        "busy_before": round(psutil.cpu_percent(LOOKS) / 100, 3),
        "versions": {
            "paceline": binary,
            "python": platform.python_version(),
            "java": java(),
            **{package: version(package) for package in PACKAGES},
        },
    }
