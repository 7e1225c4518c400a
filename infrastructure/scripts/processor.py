"""The Glue job: everything that it does is said by its arguments (infrastructure/README.md)."""

import paceline.glue

paceline.glue.main()
