#!/usr/bin/env python3
"""Reads test data, and with --output checks that each record is there exactly once: `paceline data verify`. Other flags are passed on."""

import argparse

from data_place import call, default_input

parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
parser.add_argument("--input", default=default_input(), metavar="URI", help="the CSV file (default: %(default)s)")
parser.add_argument("--output", metavar="URI", help="the folder that a job wrote (default: the input is only read and counted)")
given, more = parser.parse_known_args()
call(["verify", given.input, *([given.output] if given.output else []), *more])
