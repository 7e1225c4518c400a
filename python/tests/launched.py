"""The launcher in a process of its own, as Glue starts it."""

import os
import signal
import subprocess
import sys
import uuid
from contextlib import suppress
from typing import ClassVar

from environment import ENDS_WITHIN, MARK, running, wait_for


class Launched:
    """It, and all processes that it starts."""

    started: ClassVar[list] = []

    def __init__(self, folder, *arguments):
        self.mark = uuid.uuid4().hex
        self.started.append(self)
        environment = {**os.environ, MARK: self.mark, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", "paceline.glue", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)

    @classmethod
    def end_all(cls):
        """Ends what a test that failed has left."""
        while cls.started:
            launched = cls.started.pop()
            for id in running(launched.mark):
                with suppress(ProcessLookupError):
                    os.kill(id, signal.SIGKILL)
            launched.process.communicate()

    def program(self):
        """The ids of the program's processes."""
        return [id for id, line in running(self.mark).items() if id != self.process.pid and "paceline" in line.split(" ")[0]]

    def end(self):
        """Waits for the end of all. Returns the exit code and what was said."""
        said = self.process.communicate(timeout=ENDS_WITHIN)[1]
        wait_for(lambda: not running(self.mark), "the end of all processes", 60)
        return self.process.returncode, said


def written_down(launched, journal):
    """Waits until answers of a job are in its journal, which they are after about a second."""
    wait_for(lambda: journal() or launched.process.poll() is not None, "the journal")
    assert launched.process.poll() is None, launched.end()
