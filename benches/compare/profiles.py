"""Where Paceline's processor time goes in a scenario: perf takes samples of it, drawn as a flame graph. Only the binary's own work is
looked at, not that of the API beside it. A binary without symbols says nothing: `make wheel` strips its own.
"""

import collections
import dataclasses
import html
import re
import shlex
import shutil
import subprocess

from .processes import ROOT, Failed

FOLDER = ROOT / "docs" / "benchmarks" / "profiles"
HOTTEST = ("api-flat", "api-batch-1000-million", "tpch-1")  # what is profiled, unless others are named
SAMPLES = 299  # a second and processor
STACK = 16384  # bytes of a stack, from which its frames are found
HASH = re.compile(r"::h[0-9a-f]{16}$")
NAMED = 12  # functions that are listed
WIDTH, LINE = 1600, 16  # pixels
NARROWEST = 0.002  # share of all samples that a frame must have to be drawn


def profiled(field, scenario, work, rounds, say):
    """Runs a scenario with Paceline alone, draws its last run, and returns the functions with the most samples, with their shares."""
    if not shutil.which("perf"):
        raise Failed("there is no perf in PATH")
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
    script = ["perf", "script", "--no-inline", "-F", "comm,ip,sym", "-i", str(samples)]
    said = subprocess.run(script, capture_output=True, text=True, errors="replace", check=False)
    stacks = collapsed(said.stdout)
    if not stacks:
        raise Failed(f"perf has no samples of {scenario.name}: {said.stderr[-500:]}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{scenario.name}.svg").write_text(drawn(stacks, f"{scenario.name}: {scenario.title}"), encoding="utf-8")
    shutil.rmtree(folder)
    return hottest(stacks)


def collapsed(text):
    """How often each stack was seen, from `perf script`: its frames from the outermost to the innermost."""
    stacks, frames = collections.Counter(), []
    for line in [*text.splitlines(), ""]:
        if line[:1].isspace():
            address_and_name = line.split(maxsplit=1)
            frames.append(HASH.sub("", address_and_name[1]) if len(address_and_name) > 1 else "[unknown]")
        elif not line and frames:
            stacks[tuple(reversed(frames))] += 1
            frames = []
    return stacks


def hottest(stacks):
    own = collections.Counter()
    for frames, count in stacks.items():
        own[frames[-1]] += count
    return [(name, count / stacks.total()) for name, count in own.most_common(NAMED)]


def drawn(stacks, title):
    """The flame graph as SVG: a frame is as wide as its samples, those that it called stand above it."""
    everything, boxes = stacks.total(), []

    def draw(stacks, depth, left):
        called = collections.defaultdict(collections.Counter)
        for frames, count in stacks.items():
            if frames:
                called[frames[0]][frames[1:]] += count
        for name, below in sorted(called.items()):
            count = below.total()
            if count >= NARROWEST * everything:
                boxes.append((depth, left, count, name))
                draw(below, depth + 1, left)
            left += count

    draw(stacks, 0, 0)
    height = LINE * (max((depth for depth, *_ in boxes), default=0) + 3)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">',
        f'<text x="4" y="{LINE}">{html.escape(title)}, {everything:,} samples</text>',
    ]
    for depth, left, count, name in boxes:
        x, y, wide = left / everything * WIDTH, height - LINE * (depth + 1), count / everything * WIDTH
        label = html.escape(name[: int(wide / 6.8)]) if wide > 30 else ""
        hue = 20 + sum(name.encode()) % 30  # the same function has the same colour
        lines.append(
            f'<g><title>{html.escape(name)}: {count / everything:.1%}</title><rect x="{x:.1f}" y="{y}" width="{wide:.1f}" '
            f'height="{LINE - 1}" fill="hsl({hue} 80% 65%)"/><text x="{x + 2:.1f}" y="{y + 11}">{label}</text></g>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"
