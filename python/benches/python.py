"""How fast Python gets Paceline: the import, a first statement, and a million records through `process` beside the same in PySpark.

`python.py PROGRAM` takes the extension that lies beside the program. Every figure is of processes of its own, the median of several;
memory is the largest sum of what a process and its children hold alone or share (PSS), looked at every 50 ms.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

RECORDS = 1_000_000
RUNS = 3
STARTS = 7
LOOK_EVERY_S = 0.05

IMPORT = "import time; start = time.perf_counter(); import paceline; paceline.Session; print(time.perf_counter() - start)"
FIRST = (
    "import time; start = time.perf_counter(); import paceline; "
    "paceline.Session().sql('select 1').collect(); print(time.perf_counter() - start)"
)


def main(program):
    """Prints a table, and fails where a target is missed."""
    os.environ["PACELINE_BIN"] = str(Path(program).resolve())
    import native_of_build

    with tempfile.TemporaryDirectory() as folder:
        native_of_build.install(folder)
        rows = [
            ("import paceline, ms", statistics.median(seconds(IMPORT) for _ in range(STARTS)) * 1000, "≤", 150),
            ("import, session and first statement, ms", statistics.median(seconds(FIRST) for _ in range(STARTS)) * 1000, "≤", 300),
            *million(),
        ]
    missed = 0
    for name, figure, side, target in rows:
        held = target is None or (figure <= target if side == "≤" else figure >= target)
        missed += not held
        print(f"{name:70} {figure:10.2f}" + ("" if target is None else f"   {side} {target}{'' if held else '   MISSED'}"))
    sys.exit(1 if missed else 0)


def seconds(code):
    """What a new interpreter says that `code` took."""
    return float(subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout)


def million():
    """A million records in arrays of 1,000, in turns."""
    from environment import mock_api

    found = {"paceline": [], "pyspark": []}
    with mock_api("--latency-ms", "0") as api:
        for _ in range(RUNS):
            for engine, runs in found.items():
                runs.append(measured(engine, api))
    sums = {round(run["sum"], 6) for runs in found.values() for run in runs}
    assert len(sums) == 1, f"the two do not agree: {found}"
    ours, spark = found["paceline"], found["pyspark"]
    took = [statistics.median(run["seconds"] for run in runs) for runs in (ours, spark)]
    peak = [statistics.median(run["peak"] for run in runs) / 1e6 for runs in (ours, spark)]
    held = [statistics.median(run["peak"] - run["before"] for run in runs) / 1e6 for runs in (ours, spark)]
    return [
        (f"{RECORDS} records, process(), seconds", took[0], "", None),
        ("the same by PySpark, mapPartitions and aiohttp, seconds without its start", took[1], "", None),
        ("PySpark ÷ process()", took[1] / took[0], "≥", 10),
        ("process(): most memory of all processes, MB", peak[0], "", None),
        ("… without what the interpreter and the records took before, MB", held[0], "", None),
        ("PySpark: most memory of all processes, MB", peak[1], "", None),
        ("process() ÷ PySpark, most memory", peak[0] / peak[1], "≤", 0.25),
    ]


def measured(engine, api):
    """One run: its seconds, and the most memory of its processes, before and in all."""
    command = [sys.executable, HERE / "million.py", engine, api, str(RECORDS)]
    run = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    peak, ended = [0], threading.Event()

    def look():
        while not ended.wait(LOOK_EVERY_S):
            peak[0] = max(peak[0], memory(run.pid))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        run.stdout.readline()  # the records are there
        before = memory(run.pid)
        run.stdin.write("go\n")
        run.stdin.flush()
        said = run.stdout.readline()
        run.stdin.close()
        run.stdout.read()
        code = run.wait()
    finally:
        ended.set()
        looking.join()
    if code != 0 or not said:
        sys.exit(f"error: {engine} failed")
    return {**json.loads(said), "peak": peak[0], "before": before}


def memory(process):
    """What a process and all below it hold, in bytes; those that end meanwhile hold nothing."""
    held, left = 0, [process]
    while left:
        id = left.pop()
        try:
            text = Path(f"/proc/{id}/smaps_rollup").read_text()
            held += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
            for thread in os.listdir(f"/proc/{id}/task"):
                left += map(int, Path(f"/proc/{id}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return held


if __name__ == "__main__":
    main(*sys.argv[1:])
