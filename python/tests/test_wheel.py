"""The wheel paceline-glue, built around the program of the tests, is what its user needs; and it refuses what it cannot be."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from wheel_of_tests import GLUE, build

from paceline.glue import binary


def checked(wheel, *flags):
    command = [sys.executable, GLUE / "check_wheel.py", wheel, *flags]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def test_it_runs_for_an_ordinary_user_where_nothing_can_be_written(wheel):
    """The program of the tests is made for this machine's glibc, and is larger than the one that is released."""
    found = [path for path in map(shutil.which, ("python3.9", "/usr/bin/python3")) if path and works(path)] or [sys.executable]
    code, said = checked(wheel, "--glibc", "2.99", "--megabytes", "400", "--python", *found)
    assert code == 0 and said.count("runs with") == len(found), said


def works(python):
    """Whether it is an interpreter, and not one that only knows where others are."""
    return subprocess.run([python, "-c", "import venv"], stderr=subprocess.DEVNULL).returncode == 0


def test_a_program_that_needs_a_newer_system_is_found_out(wheel):
    code, said = checked(wheel, "--glibc", "2.5")
    assert code == 1 and "newer than 2.5" in said


def test_it_brings_its_own_part_of_the_package_only(wheel):
    """The wheel paceline has the rest, so that the two can be installed beside each other."""
    with ZipFile(wheel) as packed:
        names = packed.namelist()
    assert "paceline/__init__.py" not in names and "paceline/glue/__init__.py" in names
    parts = {str(path.relative_to(GLUE.parent)) for path in (GLUE.parent / "paceline/glue").glob("*.py")}
    assert parts <= set(names)


def test_without_a_program_there_is_no_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv(binary.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build(tmp_path, str(tmp_path / "none"))
    assert "it must name the program that goes into the wheel" in failed.value.output
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build(tmp_path, str(script))
    assert "Magic number does not match" in failed.value.output


def test_both_wheels_can_lie_in_different_folders(tmp_path):
    """As where one was brought by --extra-py-files: the package is found in both."""
    for wheel, module in (("one", "engine"), ("two", "glue")):
        (tmp_path / wheel / "paceline").mkdir(parents=True)
        (tmp_path / wheel / "paceline" / f"{module}.py").write_text("")
    shutil.copy(Path(GLUE.parent, "paceline/__init__.py"), tmp_path / "one/paceline/__init__.py")
    code = f"import sys; sys.path[:0] = ['{tmp_path}/one', '{tmp_path}/two']"
    code += "; import paceline.engine, paceline.glue; print(paceline.glue.__file__)"
    found = subprocess.run([sys.executable, "-I", "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    assert found == f"{tmp_path}/two/paceline/glue.py"
