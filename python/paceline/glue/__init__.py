"""Runs Paceline as an AWS Glue job, on the driver or on all workers. Needs Python 3.9 and nothing else.

A whole job, for a python-shell or an ETL job of Glue::

    import paceline.glue
    paceline.glue.main()
"""

from paceline.glue.arguments import GlueArgumentError, get_resolved_options
from paceline.glue.binary import BinaryNotFound
from paceline.glue.job import JobFailed, main
from paceline.glue.options import Options

__all__ = ["BinaryNotFound", "GlueArgumentError", "JobFailed", "Options", "get_resolved_options", "main"]
