"""Scores a command on Spark's own statements and writes the figures into tests/slt/spark/score.txt.

    score.py KIT COMMAND...

KIT holds the statements and their scorer, score.py; they are not part of the project. The page docs/spark-compatibility.md takes
the figures from the file.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

FIGURES = pathlib.Path(__file__).parent / "spark" / "score.txt"


def share(part, whole):
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %)"


def main():
    kit, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if not (kit / "score.py").exists():
        raise SystemExit(f"{kit} is not there: the statements are not part of the project")
    with tempfile.NamedTemporaryFile("r", suffix=".json") as figures:
        scorer = [sys.executable, kit / "score.py", "--serve", "--json", figures.name, "--", *command]
        subprocess.run(scorer, check=True)
        found = json.load(figures)
    lines = [
        "Inputs of Spark's own test suite (*golden*) and the examples in its documentation of functions, half of each, by",
        "`make spark-score`. Of the statements that return rows:",
        "",
        "| | exact | other names of columns allowed | rows only | must fail, and do | with Spark's class |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for suite, t in found["suites"].items():
        if t["results"]:
            cells = [share(t[f"results_{figure}"], t["results"]) for figure in ("exact", "names", "rows")]
            cells += [share(t[f"errors_{figure}"], t["errors"]) if t["errors"] else "" for figure in ("got", "class")]
            lines.append(f"| {suite} | {' | '.join(cells)} |")
    means = ", ".join(f"{suite} {100 * mean:.1f} %" for suite, mean in found["file_means"].items())
    lines += ["", f"The mean over files of the exact share: {means}. Spark itself has 100 % of each."]
    # What stands below, of TPC-H and TPC-DS, is written by hand.
    below = FIGURES.read_text(encoding="utf-8").partition("\n## ")
    FIGURES.write_text("\n".join(lines) + "\n" + "".join(below[1:]), encoding="utf-8")


if __name__ == "__main__":
    main()
