"""Whether a job's numbers go to CloudWatch, and to which namespace: on by default, as far as somebody can take them. Sends nothing."""

import os
from typing import Callable, Mapping, NamedTuple, Optional

from paceline.glue.options import Options

__all__ = ["NAMESPACE", "Metrics", "known_region", "metrics_of"]

# Where they go unless an argument says otherwise: the namespace of the Python job.
NAMESPACE = "SparkProcessing"
# What --metrics_namespace says where none are wanted. Not every way to start a job lets an argument be empty.
NOWHERE = ("", "none")


class Metrics(NamedTuple):
    """Where a job's numbers go."""

    # None where they go nowhere, or where a setting of the program says it.
    namespace: Optional[str]
    # Why they go nowhere, where nobody said that they should not.
    off: Optional[str] = None


def known_region(options: Options, environment: Mapping[str, str] = os.environ) -> Optional[str]:
    """The region that the program takes for AWS's services; it would call us-east-1 without one."""
    named = _setting(options, "paceline.s3.region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if named:
        return named
    try:
        from boto3 import Session
        from botocore.exceptions import BotoCoreError
    except ImportError:
        return None
    try:
        of_profile: Optional[str] = Session().region_name
    except BotoCoreError:  # there is no such profile
        return None
    return of_profile


def metrics_of(options: Options, ask: Callable[[Options], Optional[str]] = known_region) -> Metrics:
    """Where the numbers of a job go. `ask` says which region it runs in, if it must be known.

    Whether CloudWatch takes them only shows then: a job that may not publish goes on, with a warning.
    """
    given = options.metrics_namespace
    if given is not None:
        return Metrics(None if given in NOWHERE else given)
    if _setting(options, "paceline.cloudwatch.namespace") is not None:
        return Metrics(None)
    if not options.job_name:
        return Metrics(None, "this is no job of Glue, which would be given --JOB_NAME")
    if not ask(options):
        return Metrics(None, "no region is known; AWS_REGION names one")
    return Metrics(NAMESPACE)


def _setting(options: Options, name: str) -> Optional[str]:
    """What --paceline-conf says of a setting; the last one wins."""
    values = [text.partition("=")[2] for text in options.conf if text.partition("=")[0].strip() == name]
    return values[-1] if values else None
