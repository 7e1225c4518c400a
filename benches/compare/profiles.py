"""Where Paceline's processor time goes in a scenario: perf takes samples of it, and inferno draws them as a flame graph. Only the binary's
own work is looked at, not that of the API beside it. A binary without symbols says nothing: `make wheel` strips its own.
"""

import collections
import dataclasses
import re
import shlex
import shutil
import subprocess

from .processes import ROOT, Failed

FOLDER = ROOT / "docs" / "benchmarks" / "profiles"
HOTTEST = ("api-flat", "api-batch-1000-million", "tpch-1")  # what is profiled, unless others are named
NEEDED = ("perf", "inferno-collapse-perf", "inferno-flamegraph")
SAMPLES = 299  # a second and processor
STACK = 16384  # bytes of a stack, from which its frames are found
HASH = re.compile(r"::h[0-9a-f]{16}(?=[; ])")
SCRIPT = re.compile(r"<script.*?</script>| onload=\"[^\"]*\"", re.DOTALL)  # a drawing is looked at; it runs nothing
NAMED = 12  # functions that are listed
NARROWEST = "0.2"  # per cent of all samples that a frame must have to be drawn


def profiled(field, scenario, work, rounds, say):
    """Runs a scenario with Paceline alone, draws its last run, and returns the functions with the most samples, with their shares."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        raise Failed(f"there is no {' and no '.join(missing)} in PATH")
    folder = work / "profile"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    samples, program = folder / "perf.data", folder / "paceline"
    record = shlex.join(["perf", "record", "--quiet", "-e", "cpu-clock", "-F", str(SAMPLES), "--call-graph", f"dwarf,{STACK}"])
    real = shlex.quote(str(field.paceline))
    program.write_text(
        f'#!/bin/sh\ncase $1 in\nrun|sql) exec {record} -o {shlex.quote(str(samples))} -- {real} "$@" ;;\n*) exec {real} "$@" ;;\nesac\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    dataclasses.replace(scenario, contenders=("paceline",)).run(dataclasses.replace(field, paceline=program), work, rounds, say)
    said = piped(["perf", "script", "--no-inline", "-i", str(samples)])
    stacks = HASH.sub("", piped(["inferno-collapse-perf"], said))
    if not stacks:
        raise Failed(f"perf has no samples of {scenario.name}")
    title = f"{scenario.name}: {scenario.title}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawing = piped(["inferno-flamegraph", "--title", title, "--minwidth", NARROWEST, "--hash"], stacks)
    (FOLDER / f"{scenario.name}.svg").write_text(SCRIPT.sub("", drawing), encoding="utf-8")
    shutil.rmtree(folder)
    return hottest(stacks)


def piped(command, given=None):
    """What a program says to what it is given."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise Failed(f"{shlex.join(command)} failed: {done.stderr[-500:]}")
    return done.stdout


def hottest(stacks):
    """The functions that were seen innermost most often, with their shares; a line is a stack and how often it was seen."""
    own = collections.Counter()
    for line in stacks.splitlines():
        frames, count = line.rsplit(maxsplit=1)
        own[frames.rsplit(";", 1)[-1]] += int(count)
    return [(name, count / own.total()) for name, count in own.most_common(NAMED)]
