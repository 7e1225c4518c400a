"""How the house is kept in Python: files are short, say what they are for, and have names that say something."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("python", "scripts") for path in (ROOT / folder).rglob("*.py"))
MOST_LINES = 400
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_say_what_they_are_for_and_have_names(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    said = ast.get_docstring(ast.parse(text))
    assert said and (said[0].isupper() or said[0] == "`"), "it does not begin with a line that says what it is for"
    assert not NAMES_THAT_SAY_NOTHING & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


def test_there_are_files():
    assert len(FILES) > 30


def test_the_launcher_needs_nothing_but_python():
    """Each import of another package stands where it is known to be there, or where its absence is an error with words."""
    allowed = {"boto3", "botocore", "pyspark"}
    for path in (ROOT / "python/paceline/glue").glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {
            name.name if isinstance(node, ast.Import) else node.module
            for node in tree.body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in node.names
        }
        at_once = {name.split(".")[0] for name in names} & allowed
        assert not at_once, f"{path.name} imports {at_once} where it may not be"


def test_scripts_can_be_executed():
    listed = subprocess.run(["git", "ls-files", "-s", "scripts"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    modes = {line.split("\t")[1]: line.split()[0] for line in listed.splitlines()}
    if not modes:
        pytest.skip("this is no checkout of git")
    with_shebang = [name for name in modes if (ROOT / name).read_text().startswith("#!")]
    assert with_shebang and all(modes[name] == "100755" for name in with_shebang)
