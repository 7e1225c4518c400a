"""The raw figures of every run, as one JSON file that is committed: by scenario what was measured, where, of what, and when."""

import json
import subprocess

from .processes import PACKAGE, ROOT

FILE = PACKAGE / "results" / "latest.json"
FORMAT = 1


def load(path=FILE):
    if not path.exists():
        return {"format": FORMAT, "scenarios": {}}
    return json.loads(path.read_text(encoding="utf-8"))


def committed(path=FILE):
    """The file as the last commit has it, or nothing."""
    shown = subprocess.run(["git", "show", f"HEAD:./{path.relative_to(ROOT)}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def save(results, path=FILE):
    """Writes it beside and renames it: a run that is broken off leaves the scenarios before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_suffix(".making")
    making.write_text(json.dumps(results, indent=1, ensure_ascii=False, default=float) + "\n", encoding="utf-8")
    making.rename(path)


def keep(results, scenario, about, runs, skipped):
    """Puts a scenario's runs in the place of older ones."""
    results["scenarios"][scenario.name] = {
        "title": scenario.title,
        "kind": scenario.kind,
        "records": getattr(scenario, "records", None),
        "about": about,
        "skipped": skipped,
        "runs": {contender: [rounded(run) for run in of_contender] for contender, of_contender in runs.items()},
    }


def rounded(run):
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in run.items()}


def column(scenario, contender, figure):
    """A figure of every run of a contender; empty where it did not take part."""
    return [run.get(figure) for run in scenario["runs"].get(contender, [])]
