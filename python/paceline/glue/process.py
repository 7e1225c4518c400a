"""Runs the program as a child of this process: passes on what it says and what it is told, and takes it along in the end."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Callable, List, Mapping, Optional, Sequence

__all__ = ["Child", "Ended", "say"]

# So many of the last lines are kept, to say why a job failed.
LINES_KEPT = 20
PR_SET_PDEATHSIG = 1
_TERMINATE = ctypes.c_ulong(signal.SIGTERM)
_libc = ctypes.CDLL(None, use_errno=True)


class Ended:
    """How a program ended."""

    def __init__(self, code: int, lines: Sequence[str]):
        self.code = code
        self.lines = list(lines)

    def why(self) -> str:
        """The last error that it told of, else its last line."""
        errors = [line for line in self.lines if line.startswith("error: ")]
        return (errors or self.lines or ["it said nothing"])[-1]


class Child:
    """A program that runs. What it writes goes to `sys.stdout` and `sys.stderr`, which notebooks replace.

    With `until_closed` it holds the other end of the program's standard input, whose end tells the program to stop; else the
    program is sent SIGTERM when the thread that started it ends, as it does with this process, however that ends.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        until_closed: bool = False,
        heard: Optional[Callable[[str], None]] = None,
    ):
        parent = os.getpid()

        def with_parent():
            # Runs between fork and exec, where other threads' locks may be held: nothing but two system calls.
            _libc.prctl(PR_SET_PDEATHSIG, _TERMINATE)
            if os.getppid() != parent:  # it has died before
                os._exit(1)

        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment),
            stdin=subprocess.PIPE if until_closed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=None if until_closed else with_parent,  # noqa: PLW1509, as said there
        )
        self.readers: List[threading.Thread] = [
            self._pass_on(self.process.stdout, sys.stdout.write),
            self._pass_on(self.process.stderr, lambda line: self._hear(line, heard)),
        ]

    def _pass_on(self, stream, take):
        def read():
            for line in stream:
                take(line)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def _hear(self, line, heard):
        sys.stderr.write(line)
        self.lines.append(line.rstrip("\n"))
        if heard:
            heard(line)

    def wait(self, timeout: Optional[float] = None) -> Ended:
        """Waits until it ends, and has said everything. Raises subprocess.TimeoutExpired."""
        code = self.process.wait(timeout)
        for reader in self.readers:
            reader.join()
        return Ended(code, self.lines)

    def wait_with_signals(self) -> Ended:
        """Waits until it ends; SIGTERM and Ctrl-C are its to obey, so that it ends in order. Only the main thread hears them."""
        if threading.current_thread() is not threading.main_thread():
            return self.wait()
        told = []

        def pass_on(number, _):
            told.append(number)
            self.tell(number)

        before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return self.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            if told == [signal.SIGINT] * len(told) and told:
                raise KeyboardInterrupt

    def tell(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, within: float) -> Ended:
        """Asks it to end in order, and ends it when it has not after `within` seconds."""
        try:
            if self.process.stdin:
                self.process.stdin.write("\n")
                self.process.stdin.flush()
            else:
                self.tell(signal.SIGTERM)
            return self.wait(within)
        except BrokenPipeError:
            return self.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.wait()
        finally:
            if self.process.stdin:
                with suppress(BrokenPipeError):
                    self.process.stdin.close()


def say(line: str) -> None:
    """Tells a person, in the job's log."""
    print(f"paceline.glue: {line}", file=sys.stderr, flush=True)
