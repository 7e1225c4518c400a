"""Finds the program `paceline`: the one that PACELINE_BIN names, or the one that the wheel brought.

Where that has lost its right to be executed, as when a wheel was unpacked as a zip, it is copied to a folder of this process,
once, which is removed when the process ends.
"""

import atexit
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import Optional

__all__ = ["VARIABLE", "BinaryNotFound", "find"]

VARIABLE = "PACELINE_BIN"
_of_wheel: Optional[Path] = None


class BinaryNotFound(Exception):
    """There is no program to run; the message says where it was looked for."""


def find() -> Path:
    """Where the program is."""
    named = os.environ.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK) or os.path.isdir(named):
            raise BinaryNotFound(f"{VARIABLE} is '{named}', which cannot be executed; name the program paceline")
        return Path(named).absolute()
    global _of_wheel
    if _of_wheel is None or not _of_wheel.exists():
        _of_wheel = _executable()
    return _of_wheel


def _executable() -> Path:
    packaged = Path(str(resources.files("paceline.glue"))) / "bin" / "paceline"
    if not packaged.is_file():
        raise BinaryNotFound(
            f"this installation of paceline.glue has no program at '{packaged}': install the wheel paceline-glue for this "
            f"kind of machine, or name a program with {VARIABLE}"
        )
    if os.access(packaged, os.X_OK):
        return packaged
    folder = Path(tempfile.mkdtemp(prefix="paceline-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = Path(shutil.copyfile(packaged, folder / "paceline"))
    copy.chmod(0o700)
    return copy
