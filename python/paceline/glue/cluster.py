"""A cluster of Paceline on the workers of Glue's own Spark: the scheduler on the driver, executors in a Spark job that lasts.

The Spark job has one task for each of Spark's executors, in a group of its own. It runs in the background, and Spark's other jobs
go on beside it with the cores that are left.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from socket import gethostbyname
from typing import Any, Dict, Iterator, List, Optional

from paceline.glue.executor import ENDS_WITHIN, Terms, serve
from paceline.glue.meeting import Meeting
from paceline.glue.options import Options
from paceline.glue.process import Child, say
from paceline.glue.roster import Roster
from paceline.glue.sizing import glue_workers, size
from paceline.glue.spark import executors_by_host, reason, spark_context

__all__ = ["ClusterFailed", "SparkCluster", "address_of", "cluster_of_spark"]

# A cluster that starts and gains nothing for so long has what it will have, in seconds.
NO_PROGRESS = 60.0
# How often Spark is asked for its executors, in seconds.
ASK_EVERY = 1.0
SCHEDULER_STARTS_WITHIN = 30.0
SCHEDULER_ENDS_WITHIN = 10.0


class ClusterFailed(Exception):
    """No executor could be started on the workers; the message says why."""


@contextmanager
def cluster_of_spark(options: Options, program: Path, no_progress: float = NO_PROGRESS) -> "Iterator[SparkCluster]":
    """A cluster that lasts as long as the block. It goes on with fewer executors where not all come."""
    cluster = SparkCluster(spark_context(), options, program)
    try:
        cluster.wait_until_ready(no_progress)
        yield cluster
    finally:
        cluster.close()


class SparkCluster:
    """A cluster on the workers of a Spark context."""

    def __init__(self, context: Any, options: Options, program: Path):
        self.context = context
        conf = dict(context.getConf().getAll())
        here = executors_by_host(context)
        self.size = size(options, conf, glue_workers, max(here.values(), default=1))
        token = secrets.token_urlsafe(32)
        self.environment: Dict[str, str] = {**os.environ, "PACELINE_TOKEN": token}
        self.client: Optional[Child] = None
        self.is_lost = False
        version = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.roster = Roster(version)
        self.folder = tempfile.mkdtemp(prefix="paceline-scheduler-")
        host = address_of(context)
        self.scheduler, scheduler_at = self._start_scheduler(program, host)
        self.meeting = Meeting(host, token, self.roster.heard)
        self.terms = Terms(context.applicationId, self.meeting.address, token, scheduler_at, self.size.arguments)
        self.conf = ("--conf", f"paceline.cluster=df://{scheduler_at}")
        self.group = f"paceline-{secrets.token_hex(4)}"
        self.waves: List[threading.Thread] = []
        self.tasks: List[int] = []
        self.spark_has = 0
        self.no_progress = NO_PROGRESS

    def _start_scheduler(self, program, host):
        known = threading.Event()
        found: List[str] = []

        def heard(line):
            address = re.search(r"scheduler at df://(\S+)", line)
            if address:
                found.append(address.group(1))
                known.set()

        shown = f"[{host}]" if ":" in host else host
        arguments = ["scheduler", "--bind", f"{shown}:0", "--host", host, "--state-dir", self.folder, "--until-stdin-closes"]
        child = Child([program, *arguments], self.environment, until_closed=True, heard=heard)
        threading.Thread(target=lambda: (child.wait(), known.set(), self._lost()), daemon=True).start()
        known.wait(SCHEDULER_STARTS_WITHIN)
        if not found:
            ended = child.stop(0)
            shutil.rmtree(self.folder, ignore_errors=True)
            raise ClusterFailed(f"the scheduler does not start on the driver, at {host}: {ended.why()}")
        return child, found[0]

    def wait_until_ready(self, no_progress: float) -> None:
        """Waits for all executors, or for those that come while something still does. Raises ClusterFailed."""
        self.no_progress = no_progress
        threading.Thread(target=self._keep, daemon=True).start()
        roster, seen, since = self.roster, None, time.monotonic()
        with roster.changed:
            while not self._is_complete():
                progress = (self.spark_has, roster.progress)
                if progress != seen:
                    seen, since = progress, time.monotonic()
                failures = "; ".join(dict.fromkeys(roster.failures)) or "Spark has not started more"
                if self.scheduler.process.poll() is not None:
                    raise ClusterFailed(f"the scheduler on the driver has ended: {self.scheduler.wait().why()}")
                if time.monotonic() - since >= no_progress:
                    if roster.ready == 0:
                        raise ClusterFailed(f"no executor came in {no_progress:.0f} s: {failures}")
                    say(f"{roster.ready} of {self._wanted()} executors are there, and the job goes on with them: {failures}")
                    return
                roster.changed.wait(ASK_EVERY)

    def _wanted(self) -> int:
        return self.size.executors or self.spark_has

    def _is_complete(self) -> bool:
        return self.roster.ready >= self._wanted() > 0

    def _keep(self) -> None:
        """Has an executor on each of Spark's, also on those that come late or in place of others, until the end."""
        roster, waits, progress, next_at = self.roster, ASK_EVERY, 0, 0.0
        while not roster.stopping:
            try:
                spark_has = sum(executors_by_host(self.context).values())
            except Exception:  # Spark is gone
                self._lost()
                return
            with roster.changed:
                self.spark_has = spark_has
                missing = min(spark_has, self._wanted()) - len(roster.members) - self._on_their_way()
                if progress != roster.progress:
                    progress, waits = roster.progress, ASK_EVERY
            if missing > 0 and time.monotonic() >= next_at and not roster.stopping:
                self._start_wave(missing)
                # Where tasks only meet executors that are there, they are started less and less often.
                next_at, waits = time.monotonic() + waits, min(30.0, waits * 2)
            with roster.changed:
                roster.changed.wait_for(lambda: roster.stopping, ASK_EVERY)
                is_alone = roster.alone_since is not None and time.monotonic() - roster.alone_since > self.no_progress
            if is_alone:
                self._end_client()

    def _on_their_way(self) -> int:
        """Tasks that were started and have not said anything yet."""
        heard = [wave for wave, _ in self.roster.heard_of]
        return sum(tasks - heard.count(wave) for wave, tasks in enumerate(self.tasks) if self.waves[wave].is_alive())

    def _start_wave(self, tasks: int) -> None:
        """One more Spark job, of so many tasks; tasks that meet an executor where they run leave again."""
        from pyspark import InheritableThread

        wave, roster = len(self.waves), self.roster

        def run():
            why = None
            try:
                self.context.setJobGroup(self.group, "executors of Paceline", interruptOnCancel=True)
                self.context.parallelize(range(tasks), tasks).mapPartitions(partial(serve, self.terms, wave)).collect()
            except Exception as error:  # whatever Spark says: the job is cancelled, its driver is gone, a task failed
                why = reason(error)
            with roster.changed:
                if why and not roster.stopping:
                    roster.failures.append(why)
                roster.changed.notify_all()

        thread = InheritableThread(target=run, daemon=True)
        self.tasks.append(tasks)
        self.waves.append(thread)
        thread.start()

    def watch(self, client: Child) -> None:
        """Ends a client when the cluster does before it."""
        self.client = client
        if self.is_lost:
            self._end_client()

    def _lost(self) -> None:
        """The scheduler or Spark is gone, and does not come back."""
        self.is_lost = True
        self._end_client()

    def _end_client(self) -> None:
        if self.client and not self.roster.stopping:
            self.client.tell(signal.SIGTERM)

    def close(self) -> None:
        """Ends everything in order; what does not end within its time is ended."""
        all_ended = self.roster.stop(ENDS_WITHIN + 5)
        if not all_ended or any(thread.is_alive() for thread in self.waves):
            self._cancel()
        for thread in self.waves:
            thread.join(ENDS_WITHIN)
        self.meeting.close()
        self.scheduler.stop(SCHEDULER_ENDS_WITHIN)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _cancel(self):
        """Spark ends what is left of the tasks, and their programs end with them."""
        for thread in self.waves:
            thread.join(1)
        if any(thread.is_alive() for thread in self.waves):
            try:
                self.context.cancelJobGroup(self.group)
            except Exception as error:  # Spark is gone, and its tasks with it
                say(f"Spark's job of the executors cannot be cancelled: {error}")


def address_of(context: Any) -> str:
    """The address of the driver that its workers know."""
    host = context.getConf().get("spark.driver.host") or "127.0.0.1"
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return gethostbyname(host)
