"""Puts the program into the wheel, and gives the wheel the tag of the oldest system that the program runs on."""

import os
import sys

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from elf import tag


class WithProgram(BuildHookInterface):
    """Called by hatchling before it writes the wheel."""

    def initialize(self, version, build_data):
        """Takes the program that PACELINE_BIN names."""
        program = os.environ.get("PACELINE_BIN")
        if not program or not os.access(program, os.X_OK):
            raise SystemExit(f"PACELINE_BIN is '{program}': it must name the program that goes into the wheel, as `make wheel` does")
        build_data["force_include"][os.path.abspath(program)] = "paceline/glue/bin/paceline"
        build_data["tag"] = f"py3-none-{tag(program)}"
        build_data["pure_python"] = False
