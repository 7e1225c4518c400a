"""The wheel that the job runs: one that PACELINE_WHEEL names, else one that is built as `make wheel` does, around the program that PACELINE names."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "tests"))

from wheel_of_tests import build  # noqa: E402


def wheel(folder):
    """Returns the wheel to deploy. The program goes into it without its symbols, which are the most of a debug build."""
    named = os.environ.get("PACELINE_WHEEL")
    if named:
        return Path(named).resolve(strict=True)
    program = folder / "program"
    subprocess.run(["strip", "-o", str(program), os.environ["PACELINE"]], check=True)
    return build(folder, str(program))
