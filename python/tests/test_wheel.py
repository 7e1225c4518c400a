"""The wheels, built around the program and the extension of the tests, are what their user needs; and refuse what they cannot be."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from native_of_build import LIBRARY
from wheel_of_tests import GLUE, build, build_native

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


def test_the_extension_too(native_wheel):
    """`/usr/bin/python3` is one that an ordinary user may run."""
    found = [path for path in ("/usr/bin/python3",) if works(path)] or [sys.executable]
    code, said = checked(native_wheel, "--glibc", "2.99", "--megabytes", "400", "--python", *found)
    assert code == 0 and said.count("runs with") == 1, said
    assert "-cp310-abi3-" in native_wheel.name


def test_it_has_types_and_a_command_and_not_the_launcher(native_wheel):
    with ZipFile(native_wheel) as packed:
        names = packed.namelist()
        [commands] = [packed.read(name).decode() for name in names if name.endswith("entry_points.txt")]
        [metadata] = [packed.read(name).decode() for name in names if name.endswith("METADATA")]
    assert {"paceline/__init__.py", "paceline/py.typed", "paceline/_native.pyi"} <= set(names)
    assert not [name for name in names if name.startswith(("paceline/glue", "tests", "benches"))]
    assert "paceline = paceline.command_line:main" in commands
    assert "Requires-Python: >=3.10" in metadata and "Provides-Extra: pandas" in metadata


@pytest.fixture(scope="module")
def native_wheel(tmp_path_factory):
    """Without its symbols, which are the most of it."""
    folder = tmp_path_factory.mktemp("native")
    library = folder / LIBRARY
    subprocess.run(["strip", "-o", library, binary.find().resolve().with_name(LIBRARY)], check=True)
    return build_native(folder, str(library))


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
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build_native(tmp_path, str(tmp_path / "none"))
    assert "it must name the extension that goes into the wheel" in failed.value.output


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
