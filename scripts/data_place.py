"""Where test data lies by default, and the call of the program that all scripts about it make."""

import os
import sys
from pathlib import Path
from typing import List

try:
    from paceline.glue import BinaryNotFound, binary
except ImportError:  # it is not installed: this is a checkout
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
    from paceline.glue import BinaryNotFound, binary

# As the classic job has them, where the environment does not say.
BUCKET, KEY = "test-bucket", "input/test_data.csv"


def default_input() -> str:
    """The CSV file that S3_BUCKET and S3_KEY name."""
    return f"s3://{os.environ.get('S3_BUCKET', BUCKET)}/{os.environ.get('S3_KEY', KEY)}"


def call(arguments: List[str]) -> None:
    """Becomes `paceline data …`, whose exit code is that of the script."""
    try:
        program = str(binary.find())
    except BinaryNotFound as error:
        sys.exit(f"error: {error}")
    sys.stdout.flush()
    os.execv(program, [program, "data", *arguments])
