"""Carries out SQL statements by a contender, each with its seconds and its rows, and compares rows."""

import json
import re

from .contenders import SPARK, program
from .processes import Failed, measured

JUDGES = ("pyspark", "datafusion", "sail", "paceline")  # whose rows the others are compared with: the first that is there


def carried_out(field, folder, contender, tables, statements, *, executors=None):
    """Runs (name, text) in order in one session over `tables` ({name: folder of Parquet files}). Returns the figures of the process,
    the seconds until the session had its tables, and by statement its seconds and its rows or its error."""
    beside = ()
    if contender.startswith("paceline"):
        views = [f"CREATE TEMPORARY VIEW {name} USING parquet OPTIONS (path '{path}')" for name, path in tables.items()]
        ready = ["SET TIME ZONE 'UTC'", *views]
        script = folder / "statements.sql"
        script.write_text("".join(f"{text};\n" for text in [*ready, *(text for _, text in statements)]), encoding="utf-8")
        command = [field.paceline, "sql", "--format", "spark", script]
        if contender != "paceline":
            address, pid = executors
            command += ["--cluster", address]
            beside = (pid,)
        names = [None] * len(ready) + [name for name, _ in statements]
    else:
        asked = folder / "statements.json"
        named = [{"name": name, "text": text} for name, text in statements]
        asked.write_text(json.dumps({"tables": {name: str(path) for name, path in tables.items()}, "statements": named}), encoding="utf-8")
        command = program(f"statements_{contender}", asked)
        names = [None, *(name for name, _ in statements)]
    figures = measured(command, folder, beside=beside, env={**SPARK, "XDG_STATE_HOME": str(folder)})
    lines = [(at, json.loads(line)) for at, line in figures.pop("lines") if line.startswith("{")]
    if len(lines) != len(names):
        raise Failed(f"{contender} answered {len(lines)} of {len(names)} statements")
    answers, before, ready_s = [], 0.0, 0.0
    for name, (at, line) in zip(names, lines):
        error = line.get("error")
        error = error["message"] if isinstance(error, dict) else error
        if name is None:
            if error:
                raise Failed(f"{contender}: {error}")
            ready_s = at
        else:
            answers.append({"name": name, "seconds": at - before, "rows": line.get("rows"), "error": error})
        before = at
    return figures, ready_s, answers


def judge(runs, answers, unread=()):
    """Writes to each contender's last run what of its answers is not as the judge has it; of statements `unread`, which have no rows
    to speak of, only whether they failed."""
    by = next(contender for contender in JUDGES if contender in answers)
    wanted = {answer["name"]: answer for answer in answers[by]}
    for contender, of_contender in answers.items():
        wrong = {}
        for answer in of_contender:
            name, want = answer["name"], wanted[answer["name"]]
            if answer["error"] or want["error"]:
                wrong[name] = answer["error"] or f"{by} has no answer"
            elif name not in unread and (difference := differs(want["rows"], answer["rows"])):
                wrong[name] = difference
        runs[contender][-1].update(judge=by, differs=wrong)


def problems(scenario, runs):
    """What `judge` found in any round, one line for each contender and statement."""
    for contender, of_contender in runs.items():
        for name, difference in {name: why for run in of_contender for name, why in run["differs"].items()}.items():
            yield f"{scenario}: {contender}: {name}: {difference}"


def differs(want, got):
    """What is not the same of two lists of rows, or nothing. Their order does not matter; numbers may differ behind the digits that
    both have, as engines give decimals other scales, and behind the ninth digit, as sums of doubles depend on their order."""
    if len(want) != len(got):
        return f"{len(got)} rows instead of {len(want)}"
    for a, b in zip(sorted(want, key=rough), sorted(got, key=rough)):
        left, right = a.split("\t"), b.split("\t")
        if len(left) != len(right) or not all(map(alike, left, right)):
            return f"row {b!r} instead of {a!r}"
    return None


FRACTION = re.compile(r"-?\d+(\.\d+([eE][-+]?\d+)?|[eE][-+]?\d+)")


def rough(row):
    """A key by which rows fall in the same order although their fractions differ a little: whatever is no fraction comes first."""
    cells = row.split("\t")
    exact = [cell for cell in cells if not FRACTION.fullmatch(cell)]
    return exact, [float(f"{float(cell):.3e}") for cell in cells if FRACTION.fullmatch(cell)]


def alike(a, b):
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    digits = min(len(text.partition(".")[2]) if "e" not in text.lower() else 17 for text in (a, b))
    # Averages and quotients have six digits or more, which some engines round and others cut off.
    last = 0.51 if digits < 6 else 1.01
    return abs(x - y) <= max(1e-9 * max(abs(x), abs(y)), last * 10**-digits if digits else 0)
