"""`python -m paceline.glue`: the exit code is 0 for a complete job, else that of the binary, or 2 for wrong arguments."""

import sys

from paceline.glue import BinaryNotFound, GlueArgumentError, JobFailed, main

try:
    main()
except JobFailed as failed:
    sys.exit(f"paceline.glue: {failed}") if failed.exit_code is None else sys.exit(failed.exit_code)
except (BinaryNotFound, GlueArgumentError) as wrong:
    print(f"paceline.glue: {wrong}", file=sys.stderr)
    sys.exit(2)
