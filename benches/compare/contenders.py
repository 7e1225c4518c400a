"""Who takes part, and whether they can here."""

import dataclasses
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys

from .processes import PACKAGE, Failed

PROGRAMS = PACKAGE / "programs"
PACKAGES = ["pyspark", "pysail", "datafusion", "aiohttp", "requests", "pyarrow"]
NAMES = {
    "paceline": "Paceline",
    "paceline-2": "Paceline, 2 executors",
    "pyspark": "PySpark 3.5.4",
    "pyspark-udf": "PySpark 3.5.4, UDF with requests",
    "asyncio": "Python asyncio",
    "bare": "bare reqwest loop",
    "sail": "Sail",
    "datafusion": "DataFusion",
    "callgrind": "Paceline under callgrind",
}


@dataclasses.dataclass
class Field:
    """The programs that contenders are made of."""

    paceline: pathlib.Path
    bare: pathlib.Path

    def missing(self, contender):
        """Why a contender cannot take part, or nothing."""
        package = {"pyspark": "pyspark", "pyspark-udf": "pyspark", "sail": "pysail", "datafusion": "datafusion", "asyncio": "aiohttp"}
        if contender in package and not version(package[contender]):
            return f"there is no {package[contender]} in {sys.prefix}"
        if contender in ("pyspark", "pyspark-udf") and not java():
            return "Spark needs Java 8, 11 or 17, and there is none in JAVA_HOME or PATH"
        if contender == "callgrind" and not shutil.which("valgrind"):
            return "there is no valgrind in PATH"
        if contender == "bare" and not self.bare.is_file():
            return f"there is no {self.bare}: build the example bare_loop in the profile of the binary, or name it with --bare"
        return None

    def check(self):
        if not self.paceline.is_file():
            raise Failed(f"there is no binary at '{self.paceline}': build it, or name it with PACELINE")


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def java():
    """The version of Java that Spark takes, or nothing."""
    home = os.environ.get("JAVA_HOME")
    program = str(pathlib.Path(home) / "bin" / "java") if home else shutil.which("java")
    if not program or not pathlib.Path(program).is_file():
        return None
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    return said.stderr.splitlines()[0] if said.returncode == 0 and said.stderr else None


def program(name, *arguments):
    """A program of programs/ in this Python."""
    return [sys.executable, PROGRAMS / f"{name}.py", *arguments]


# Spark's processes talk over loopback and run this Python; nothing of them is a matter of the host's name.
SPARK = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
