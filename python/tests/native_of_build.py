"""Gives this process, and those that it starts, the extension of the build that PACELINE_BIN is of; nothing is compiled for it."""

import os
import sys
from pathlib import Path

import paceline
from paceline.glue import binary

LIBRARY = "libpaceline_native.so"
SOURCES = Path(__file__).parents[1]


def install(folder):
    """Shows the library beside the program as `paceline._native`, by a folder of the package `paceline` that has nothing else."""
    library = binary.find().resolve().with_name(LIBRARY)
    part = Path(folder) / "paceline"
    part.mkdir()
    (part / "_native.abi3.so").symlink_to(library)
    paceline.__path__.append(str(part))
    given = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(SOURCES), str(folder), *([given] if given else [])])
    sys.path.append(str(folder))
