"""`python -m paceline.glue`: the exit code is 0 for a complete job, else that of the binary, or 2 for wrong arguments."""

import sys

from paceline.glue import BinaryNotFound, GlueArgumentError, JobFailed, main

try:
    main()
except (JobFailed, BinaryNotFound, GlueArgumentError) as error:
    print(f"paceline.glue: {error}", file=sys.stderr)
    sys.exit(getattr(error, "exit_code", 2))
