#!/usr/bin/env python3
"""Deletes test data, or what a job wrote, and nothing else: `paceline data clean`. Other flags are passed on."""

import argparse

from data_place import call, default_input

parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
parser.add_argument("uri", nargs="?", default=default_input(), metavar="URI", help="a generated file, or an output (default: %(default)s)")
given, more = parser.parse_known_args()
call(["clean", given.uri, *([] if "--yes" in more else ["--yes"]), *more])
