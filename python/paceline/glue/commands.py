"""Turns what a job was told into command lines of the program `paceline`. Starts nothing."""

from dataclasses import dataclass
from typing import List, Optional, Tuple

from paceline.glue.options import CLASSIC, Options

__all__ = ["NO_CHECKPOINT", "Plan", "plan"]

# What `paceline resume --checkpoint` says of a folder where no earlier attempt has left anything.
NO_CHECKPOINT = "there is no checkpoint at"


@dataclass(frozen=True)
class Plan:
    """What is to be run, without the name of the program."""

    first: Tuple[str, ...]
    # In place of `first` where that finds that no earlier attempt came far enough to be resumed.
    afresh: Optional[Tuple[str, ...]] = None


def plan(options: Options, script: Optional[str], report: str, namespace: Optional[str]) -> Plan:
    """The commands of a job. `script` is the local file of its statements, `report` the one that its report is written to; its numbers
    go to CloudWatch's `namespace`, if there is one.

    A run that Glue tries again goes on where it stopped. The classic job does so under its id, by what lies beside its output.
    Statements are resumed from their checkpoint, so that those that are done are not carried out again; without a place for
    checkpoints on S3 they start again under the same id, and answers that were paid for are still not bought twice.
    """
    common = [*_each("--conf", [*_published(options, namespace), *options.conf]), "--report", report]
    named = ["--job-id", options.job_id] if options.job_id else []
    if script is None:
        flags = [text for name, value in options.classic.items() for text in (f"--{CLASSIC[name]}", value)]
        return Plan(("enrich", *flags, *named, *common))
    if options.checkpoint and options.job_id:
        common = ["--conf", f"paceline.checkpoint.location={options.checkpoint}", *common]
    afresh = ("run", script, *named, *_each("--var", options.variables), *common)
    if options.attempt and options.checkpoint and options.job_id:
        folder = f"{options.checkpoint.rstrip('/')}/{options.job_id}/"
        return Plan(("resume", options.job_id, "--checkpoint", folder, *common), afresh)
    return Plan(afresh)


def _published(options: Options, namespace: Optional[str]) -> List[str]:
    """Where CloudWatch's numbers go, and the name of the job that they are of."""
    if namespace is None:
        return []
    place = f"paceline.cloudwatch.namespace={namespace}"
    return [place, f"spark.app.name={options.job_name}"] if options.job_name else [place]


def _each(flag, values):
    return [text for value in values for text in (flag, value)]
