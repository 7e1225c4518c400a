"""How many executors, and how large: from the job's arguments, Glue, and Spark's settings, in this order. Starts nothing."""

from dataclasses import dataclass
from typing import Callable, Dict, Mapping, Optional, Tuple

from paceline.glue.options import Options

__all__ = ["Size", "glue_workers", "size"]

# Settings of Spark that the program understands and that say how large an executor is.
OF_EXECUTORS = ("spark.executor.cores", "spark.executor.memory", "spark.executor.memoryOverhead", "spark.executor.heartbeatInterval")
# Glue's service may be out of reach of a job in a private network, in seconds.
ASK_WITHIN = 3


@dataclass(frozen=True)
class Size:
    """A cluster's size."""

    # None where nobody says: then as many as Spark has.
    executors: Optional[int]
    # What every executor is told.
    arguments: Tuple[str, ...]


def size(options: Options, spark: Mapping[str, str], ask: Callable[[Options], Dict[str, str]], executors_here: int) -> Size:
    """The size of the cluster. `spark` are Spark's settings; `ask` asks Glue, if it must; `executors_here` share a machine.

    One of the workers is the driver's.
    """
    worker_type, workers = options.worker_type, options.number_of_workers
    instances = spark.get("spark.executor.instances")
    if worker_type is None or (workers is None and instances is None):
        told = ask(options)
        worker_type = worker_type or told.get("WorkerType")
        workers = workers or (int(told["NumberOfWorkers"]) if told.get("NumberOfWorkers") else None)
    executors = max(1, workers - 1) if workers else int(instances) if instances else None
    arguments = ["--worker-type", worker_type] if worker_type else []
    for name in OF_EXECUTORS:
        if name in spark:
            arguments += ["--conf", f"{name}={spark[name]}"]
    if executors_here > 1:
        arguments += ["--executors-here", str(executors_here)]
    return Size(executors, tuple(arguments))


def glue_workers(options: Options) -> Dict[str, str]:
    """What Glue says of this run's workers; nothing where it cannot be asked or does not say."""
    if not (options.job_name and options.run_id):
        return {}
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return {}
    config = Config(connect_timeout=ASK_WITHIN, read_timeout=ASK_WITHIN, retries={"max_attempts": 1})
    try:
        run = boto3.client("glue", config=config).get_job_run(JobName=options.job_name, RunId=options.run_id)["JobRun"]
    except (BotoCoreError, ClientError):  # no permission, no way there, no region
        return {}
    return {name: str(run[name]) for name in ("WorkerType", "NumberOfWorkers") if run.get(name)}
