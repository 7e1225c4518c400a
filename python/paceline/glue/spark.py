"""Everything that is asked of Spark: its context, and its executors."""

import re
from typing import Any, Dict

__all__ = ["NoSpark", "executors_by_host", "reason", "spark_context"]

# How the last line of a traceback in Python begins, within what Spark says of a failed task.
OF_PYTHON = re.compile(r"^(?!org\.|java\.|py4j\.)[A-Za-z_.]*(?:Error|Exception): .*$", re.MULTILINE)


class NoSpark(Exception):
    """There is no Spark here, as in a python-shell job."""


def spark_context() -> Any:
    """The context of this process, which is begun if there is none. Raises NoSpark."""
    try:
        from pyspark import SparkContext
    except ImportError as error:
        raise NoSpark(
            "--paceline-workers spark needs an ETL job of Glue, where Spark runs; a python-shell job has one worker: leave it out"
        ) from error
    return SparkContext.getOrCreate()


def executors_by_host(context: Any) -> Dict[str, int]:
    """How many executors Spark has, by host. In local mode the driver is one."""
    hosts: Dict[str, int] = {}
    addresses = context._jsc.sc().getExecutorMemoryStatus().keys().mkString(",").split(",")
    driver = f"{context._jsc.sc().env().blockManager().blockManagerId().hostPort()}"
    is_local = context.master == "local" or context.master.startswith("local[")
    for address in addresses:
        if address != driver or is_local:
            host = address.rpartition(":")[0]
            hosts[host] = hosts.get(host, 0) + 1
    return hosts


def reason(error: Exception) -> str:
    """Why a Spark job failed, in one line."""
    said = str(error).strip() or type(error).__name__
    of_python = OF_PYTHON.search(said)
    why = of_python.group() if of_python else said.splitlines()[0]
    if why.startswith("ModuleNotFoundError: No module named 'paceline"):
        why += ": the workers need the wheel too, as --additional-python-modules brings it"
    return why
