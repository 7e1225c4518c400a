"""The program is found where the wheel or a person has put it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paceline.glue import BinaryNotFound, binary

CODE = "from paceline.glue import binary; found = binary.find(); assert found == binary.find(); print(found)"


def installed(folder, program=None, mode=0o755):
    """A copy of the launcher, with a program."""
    shutil.copytree(Path(binary.__file__).parent, folder / "paceline/glue", ignore=shutil.ignore_patterns("__pycache__"))
    if program:
        (folder / "paceline/glue/bin").mkdir()
        path = folder / "paceline/glue/bin/paceline"
        path.write_text(program)
        path.chmod(mode)
    return folder


def found_in(folder):
    environment = {name: value for name, value in os.environ.items() if name != binary.VARIABLE}
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '{folder}'); {CODE}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return done.stdout.strip(), done.stderr


def test_the_wheels_program_is_taken_where_it_lies(tmp_path):
    folder = installed(tmp_path, "#!/bin/sh\n")
    assert found_in(folder)[0] == str(folder / "paceline/glue/bin/paceline")


def test_one_that_cannot_be_executed_is_copied_and_the_copy_is_removed(tmp_path):
    found, said = found_in(installed(tmp_path, "#!/bin/sh\n", 0o644))
    assert found and not found.startswith(str(tmp_path)), said
    assert not Path(found).exists() and not Path(found).parent.exists()


def test_without_a_program_it_is_said_what_to_do(tmp_path):
    said = found_in(installed(tmp_path))[1]
    assert "has no program at" in said and "install the wheel paceline-glue" in said and "PACELINE_BIN" in said


def test_the_variable_wins_and_must_name_a_program(tmp_path, monkeypatch):
    monkeypatch.setenv(binary.VARIABLE, "/bin/true")
    assert binary.find() == Path("/bin/true")
    for wrong in (tmp_path, tmp_path / "none", Path(__file__)):
        monkeypatch.setenv(binary.VARIABLE, str(wrong))
        with pytest.raises(BinaryNotFound, match="which cannot be executed"):
            binary.find()
