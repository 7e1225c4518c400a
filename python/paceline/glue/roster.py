"""Who of Glue's workers is there, and in what state. Keeps the book; starts and waits for nothing but changes."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Set, Tuple

from paceline.glue.meeting import Line

__all__ = ["Roster"]


@dataclass
class Member:
    """An executor of ours, on one of Spark's."""

    name: str
    line: Line
    is_ready: bool = False


@dataclass
class Roster:
    """Hears what tasks say. All of it may be called from any thread."""

    # What the driver's program says of its version: another one cannot be spoken to.
    version: str
    members: Dict[Line, Member] = field(default_factory=dict)
    # Why executors ended that were not asked to, and tasks that could not start one.
    failures: List[str] = field(default_factory=list)
    stopping: bool = False
    # Counts what brings the cluster on, so that one that stands still is seen.
    progress: int = 0
    # Since when no executor is there any more, by `time.monotonic`.
    alone_since: Optional[float] = None

    def __post_init__(self):
        self.changed = threading.Condition()
        # Places of tasks, as (wave, partition): of those that run an executor, and of all that have said anything.
        self.seats: Set[Tuple[int, int]] = set()
        self.heard_of: Set[Tuple[int, int]] = set()
        self.doubled: Dict[Line, Tuple[int, int]] = {}

    def heard(self, line: Line, message: Any) -> None:
        """What a task says; `None` when it is gone."""
        with self.changed:
            if message is None:
                self._gone(line, None)
            elif "wave" in message:
                self._hello(line, message)
            elif "ready" in message and line in self.members:
                self.members[line].is_ready = True
                self.progress += 1
            elif "ended" in message:
                said = "; ".join(text for text in message["said"] if text.startswith("error")) or "; ".join(message["said"][-1:])
                self._gone(line, f"ended with {message['ended']}: {said}")
            self.changed.notify_all()

    def _hello(self, line, message):
        name, seat = f"{message['host']}/{message['pid']}", (message["wave"], message["partition"])
        self.heard_of.add(seat)
        if message.get("failed"):
            self.failures.append(f"{name}: {message['failed']}")
        elif message.get("doubled"):
            # A second attempt at a task that runs, as speculation makes it, must not end first: Spark would end the other.
            self.doubled[line] = seat
            if seat not in self.seats:
                line.send({"say": "leave"})
        elif message.get("version") != self.version:
            self.failures.append(f"{name}: has {message.get('version')}, the driver {self.version}")
            line.send({"say": "stop"})
        else:
            self.members[line] = Member(name, line)
            self.alone_since = None
            self.seats.add(seat)
            self.progress += 1
            if self.stopping:
                line.send({"say": "stop"})

    def _gone(self, line, why):
        self.doubled.pop(line, None)
        member = self.members.pop(line, None)
        if member and not self.members:
            self.alone_since = time.monotonic()
        if member and not self.stopping:
            self.failures.append(f"{member.name}: {why or 'its task is gone'}")

    @property
    def ready(self) -> int:
        """How many executors take tasks."""
        return sum(member.is_ready for member in self.members.values())

    def stop(self, within: float) -> bool:
        """Asks all to end, and waits for them. Tells whether all have ended."""
        with self.changed:
            self.stopping = True
            for line in list(self.members):
                line.send({"say": "stop"})
            for line in list(self.doubled):
                line.send({"say": "leave"})
            deadline = time.monotonic() + within
            return self.changed.wait_for(lambda: not self.members, max(0.0, deadline - time.monotonic()))
