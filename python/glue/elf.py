"""What a program needs of the system it runs on: its machine, its glibc, its shared libraries. Reads the file, runs nothing."""

import re
from typing import List, Tuple

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

__all__ = ["glibc", "libraries", "tag"]

MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}
# No wheel says less: PEP 600 begins there for what PEP 599 called manylinux2014.
OLDEST = (2, 17)


def glibc(program: str) -> Tuple[int, ...]:
    """The version of glibc that it needs: the newest of all its symbols."""
    with open(program, "rb") as file:
        versions = [
            needed.name
            for section in ELFFile(file).iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for _, needs in section.iter_versions()
            for needed in needs
        ]
    found = [re.fullmatch(r"GLIBC_([\d.]+)", version) for version in versions]
    return max((tuple(map(int, match.group(1).split("."))) for match in found if match), default=OLDEST)


def libraries(program: str) -> List[str]:
    """The shared libraries that it is linked with."""
    with open(program, "rb") as file:
        dynamic = ELFFile(file).get_section_by_name(".dynamic")
        return sorted(entry.needed for entry in dynamic.iter_tags("DT_NEEDED")) if dynamic else []


def tag(program: str) -> str:
    """The tag of a wheel's platform."""
    with open(program, "rb") as file:
        machine = ELFFile(file)["e_machine"]
    if machine not in MACHINES:
        raise SystemExit(f"'{program}' is for {machine}; wheels are made for {' and '.join(MACHINES.values())}")
    major, minor = max(glibc(program)[:2], OLDEST)
    return f"manylinux_{major}_{minor}_{MACHINES[machine]}"
