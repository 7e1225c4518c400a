"""Builds the wheels as `make wheel` does, with a program or an extension that is there already."""

import os
import subprocess
import sys
from pathlib import Path

PYTHON = Path(__file__).parents[1]
GLUE = PYTHON / "glue"


def build(folder, program):
    """The file of the wheel paceline-glue. Raises subprocess.CalledProcessError with what was said."""
    return _build(folder, GLUE, PACELINE_BIN=program)


def build_native(folder, library):
    """The file of the wheel paceline, as above."""
    return _build(folder, PYTHON, PACELINE_NATIVE=library)


def _build(folder, project, **named):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)]
    subprocess.run(command, check=True, env={**os.environ, **named}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    [wheel] = Path(folder).glob("*.whl")
    return wheel
