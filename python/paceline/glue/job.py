"""One Glue job from its arguments to its report: the trip on one screen."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

from paceline.glue import binary, commands
from paceline.glue.cluster import ClusterFailed, cluster_of_spark
from paceline.glue.metrics import metrics_of
from paceline.glue.options import Options
from paceline.glue.process import Child, Ended, say
from paceline.glue.spark import NoSpark

__all__ = ["JobFailed", "main"]


class JobFailed(Exception):
    """The job is not complete. Glue shows the message, and the run has failed when the script does not catch it."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        # That of the program, or 1 where it could not run.
        self.exit_code = exit_code


def main(argv: Optional[Sequence[str]] = None) -> Dict[str, Any]:
    """Runs the job that the arguments describe (default: `sys.argv`), and returns its report.

    Raises JobFailed when the job is not complete, GlueArgumentError when the arguments are wrong, and BinaryNotFound.
    """
    options = Options.read(sys.argv if argv is None else argv)
    program = binary.find()
    if options.workers == "driver" and (options.number_of_workers or 0) > 2:
        idle = options.number_of_workers - 1
        say(f"{idle} of {options.number_of_workers} workers have nothing to do: give --paceline-workers spark, or the job fewer workers")
    metrics = metrics_of(options)
    if metrics.off:
        say(f"metrics are off: {metrics.off}; --metrics_namespace turns them on")
    with tempfile.TemporaryDirectory(prefix="paceline-") as folder:
        script = _local(options.script, Path(folder)) if options.script else None
        report = Path(folder) / "report.json"
        plan = commands.plan(options, script, str(report), metrics.namespace)
        conf = () if _remembers() else ("--conf", f"paceline.state.dir={folder}/state")
        if options.workers == "spark":
            try:
                with cluster_of_spark(options, program) as cluster:
                    ended = _run(program, plan, cluster.environment, conf + cluster.conf, cluster.watch)
            except (ClusterFailed, NoSpark) as error:
                raise JobFailed(str(error)) from error
        else:
            ended = _run(program, plan, os.environ, conf)
        told = json.loads(report.read_text()) if report.exists() else {}
        if options.report and report.exists():
            shutil.copyfile(report, options.report)
    if ended.code:
        how = f"exit code {ended.code}" if ended.code > 0 else f"signal {-ended.code}"
        raise JobFailed(f"the job is not complete ({how}): {ended.why()}", ended.code if ended.code > 0 else 128 - ended.code)
    return told


def _remembers() -> bool:
    """Whether this user has a folder for the state of jobs, or can make it. Users of Glue's machines need not have one."""
    place = Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")) / "paceline"
    return os.access(next(parent for parent in (place, *place.parents) if parent.exists()), os.W_OK)


def _run(program, plan, environment, conf, watch=None) -> Ended:
    """Runs the plan; a resume that finds nothing to resume is begun afresh."""
    for arguments in filter(None, (plan.first, plan.afresh)):
        child = Child([program, *arguments, *conf], environment)
        if watch:
            watch(child)
        ended = child.wait_with_signals()
        if not (ended.code == 1 and arguments[0] == "resume" and commands.NO_CHECKPOINT in ended.why()):
            return ended
        say("no earlier attempt of this run came so far that it could be resumed: it begins afresh")
    return ended


def _local(script: str, folder: Path) -> str:
    """The file of the statements; one on S3 is fetched with boto3, which every Glue job has."""
    if not script.startswith("s3://"):
        if not os.path.isfile(script):
            raise JobFailed(f"there is no file '{script}' of --paceline-job; give its place on S3, or bring it with --extra-files")
        return script
    try:
        import boto3
    except ImportError as error:
        raise JobFailed(f"'{script}' cannot be fetched, as boto3 is not installed: give a local file") from error
    bucket, _, key = script[len("s3://") :].partition("/")
    path = folder / "job.sql"
    try:
        boto3.client("s3").download_file(bucket, key, str(path))
    except Exception as error:
        raise JobFailed(f"cannot read '{script}' of --paceline-job: {error}") from error
    return str(path)
