"""Puts the extension into the wheel, and gives the wheel the tag of the oldest system that it can be loaded on."""

import os
import sys

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "glue"))
from elf import tag


class WithLibrary(BuildHookInterface):
    """Called by hatchling before it writes the wheel."""

    def initialize(self, version, build_data):
        """Takes the library that PACELINE_NATIVE names."""
        library = os.environ.get("PACELINE_NATIVE")
        if not library or not os.path.isfile(library):
            raise SystemExit(f"PACELINE_NATIVE is '{library}': it must name the extension that goes into the wheel, as `make wheel` does")
        build_data["force_include"][os.path.abspath(library)] = "paceline/_native.abi3.so"
        build_data["tag"] = f"cp310-abi3-{tag(library)}"
        build_data["pure_python"] = False
