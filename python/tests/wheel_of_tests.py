"""Builds the wheel paceline-glue as `make wheel` does, with a program that is there already."""

import os
import subprocess
import sys
from pathlib import Path

GLUE = Path(__file__).parents[1] / "glue"


def build(folder, program):
    """The file of the wheel. Raises subprocess.CalledProcessError with what was said."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(GLUE)]
    environment = {**os.environ, "PACELINE_BIN": program}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    [wheel] = Path(folder).glob("*.whl")
    return wheel
