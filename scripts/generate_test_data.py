#!/usr/bin/env python3
"""Writes records for tests: `paceline data generate`, to the bucket of the environment by default. Other flags are passed on."""

import argparse

from data_place import call, default_input

parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
parser.add_argument("--records", type=int, default=1000, help="how many (default: 1000)")
parser.add_argument("--out", default=default_input(), metavar="URI", help="where to (default: %(default)s)")
given, more = parser.parse_known_args()
bucket = ["--create-bucket"] if given.out.startswith("s3") and "--create-bucket" not in more else []
call(["generate", "--records", str(given.records), "--out", given.out, *bucket, *more])
