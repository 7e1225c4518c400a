"""Checks a wheel as its user meets it: what it needs of glibc, how large it is, and that it runs, unpacked by pip into a clean
environment that nobody can write to, for an ordinary user.

`check_wheel.py WHEEL [--glibc 2.17] [--megabytes 60] [--python python3.9 …]`; needs pyelftools and auditwheel.
"""

import argparse
import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, List, NamedTuple
from zipfile import ZipFile

from elf import glibc, libraries, tag


class Kind(NamedTuple):
    """What sets the two wheels apart."""

    program: str
    tag: str
    own: Callable[[str], bool]
    script: str
    arguments: List[str]


GLUE = Kind(
    program="paceline/glue/bin/paceline",
    tag="py3-none",
    own=lambda name: name.startswith("paceline/glue/"),
    # A job of three lines; its argument is the file with its statements.
    script="""
import sys
import paceline.glue
report = paceline.glue.main()
assert report["state"] == "SUCCEEDED", report
assert not any(name in sys.modules for name in ("pyspark", "boto3", "numpy")), "nothing else is needed"
""",
    arguments=["--paceline-job", "job.sql"],
)
ENGINE = Kind(
    program="paceline/_native.abi3.so",
    tag="cp310-abi3",
    own=lambda name: name.startswith("paceline/") and not name.startswith("paceline/glue/"),
    script="""
import runpy
import sys
import paceline
assert paceline.__version__ and paceline.Session().sql("SELECT 1 AS one").collect()[0].one == 1
assert not any(name in sys.modules for name in ("pyarrow", "pandas", "numpy")), "nothing else is needed"
runpy.run_module("paceline", run_name="__main__")
""",
    arguments=["run", "job.sql"],
)


def check(wheel: Path, newest: tuple, megabytes: float, pythons: list) -> None:
    """Fails with what is wrong; prints what was found."""
    kind = GLUE if wheel.name.startswith("paceline_glue-") else ENGINE
    with tempfile.TemporaryDirectory(prefix="paceline-wheel-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        with ZipFile(wheel) as packed:
            names = packed.namelist()
            program = packed.extract(kind.program, folder)
        strays = [name for name in names if not kind.own(name) and ".dist-info/" not in name]
        expect(not strays, f"the wheel brings what is not its own: {strays}")
        expect(not any(name.endswith(".pyc") for name in names), "the wheel has compiled files")
        needs = glibc(program)
        expect(needs <= newest, f"the program needs glibc {dotted(needs)}, newer than {dotted(newest)}")
        expect(wheel.name.endswith(f"-{kind.tag}-{tag(program)}.whl"), f"the tag of {wheel.name} should be {kind.tag}-{tag(program)}")
        size = wheel.stat().st_size / 1e6
        expect(size <= megabytes, f"the wheel has {size:.1f} MB, more than {megabytes:.0f}")
        audited = run([sys.executable, "-m", "auditwheel", "show", wheel]).replace("\n", " ")
        expect(tag(program) in audited, f"auditwheel does not agree with {tag(program)}: {audited}")
        print(f"{wheel.name}: {size:.1f} MB, glibc {dotted(needs)}, libraries {', '.join(libraries(program))}")
        for python in pythons:
            print(f"runs with {installed_and_run(kind, wheel, folder, python)}")


def installed_and_run(kind: Kind, wheel: Path, folder: Path, python: str) -> str:
    """Installs it with nothing else, and runs it as a user who may write nowhere but to a folder for temporary files and state."""
    version = run([python, "-c", "import platform; print(platform.python_version())"]).strip()
    place = folder / f"python-{version}"
    run([python, "-m", "venv", "--without-pip", place])
    site = run([place / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site]
    run([*pip, "--only-binary=:all:", "--python-version", version, "--platform", tag_of(wheel), wheel])
    (place / "job.sql").write_text("SELECT 1 AS one;")
    (place / "job.py").write_text(kind.script)
    for path in [place, *place.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444)
    own = tempfile.mkdtemp(dir=folder)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(place), "TMPDIR": own, "XDG_STATE_HOME": own}
    # Of interpreters that lie where no loader looks.
    environment.update({name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ})
    user = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(own, nobody.pw_uid, nobody.pw_gid)
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    command = [place / "bin/python", "-I", place / "job.py", *kind.arguments]
    run(command, cwd=place, env=environment, **user)
    for path in [place, *place.rglob("*")]:  # so that the folder can be removed
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    return version


def tag_of(wheel: Path) -> str:
    return wheel.stem.rsplit("-", 1)[1]


def dotted(version: tuple) -> str:
    return ".".join(map(str, version))


def run(command: list, **more) -> str:
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    expect(done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        sys.exit(f"error: {otherwise}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--glibc", default="2.17", help="the newest version that the program may need (default: %(default)s)")
    parser.add_argument("--megabytes", type=float, default=60, help="the most that the wheel may have (default: %(default)s)")
    parser.add_argument("--python", nargs="*", default=[sys.executable], help="interpreters to install it for")
    given = parser.parse_args()
    check(given.wheel.resolve(), tuple(map(int, given.glibc.split("."))), given.megabytes, given.python)
