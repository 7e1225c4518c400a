"""Stands in for the package of the wheel `paceline-glue` where that is not there yet: arguments of Glue to `paceline enrich`."""

import os
import subprocess
import sys

FLAGS = {
    "source_bucket": "--s3-bucket",
    "source_key": "--s3-key",
    "api_endpoint": "--api-endpoint",
    "batch_size": "--batch-size",
    "max_workers": "--max-workers",
}


def main():
    given = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    flags = [part for name, flag in FLAGS.items() if f"--{name}" in given for part in (flag, given[f"--{name}"])]
    sys.exit(subprocess.run([os.environ["PACELINE_BIN"], "enrich", *flags], check=False).returncode)
