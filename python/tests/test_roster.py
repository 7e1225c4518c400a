"""What the driver makes of what tasks on the workers say; the tasks are played over real connections."""

import socket

import pytest
from environment import wait_for

from paceline.glue.meeting import Meeting, join
from paceline.glue.roster import Roster

SECRET = "of this run"


class Played:
    """A driver with a roster, and tasks that say what a test has them say."""

    def __init__(self):
        # A line that nobody holds is closed.
        self.lines = []
        self.roster = Roster("paceline 1")
        self.meeting = Meeting("127.0.0.1", SECRET, self.roster.heard)

    def task(self, partition, wave=0, secret=SECRET, **more):
        hello = {"wave": wave, "partition": partition, "pid": 100 + partition, "host": "worker", "version": "paceline 1"}
        self.lines.append(join(self.meeting.address, secret, {**hello, **more}))
        return self.lines[-1]

    def members(self, count):
        wait_for(lambda: len(self.roster.members) == count, f"{count} members", 5)


def next_word(line):
    line.socket.settimeout(5)
    return line.receive()[0]["say"]


@pytest.fixture
def played():
    made = Played()
    yield made
    made.meeting.close()


def test_an_executor_is_ready_when_it_says_so(played):
    line = played.task(0)
    played.members(1)
    assert played.roster.ready == 0
    line.send({"started": 7})
    line.send({"ready": True})
    wait_for(lambda: played.roster.ready == 1, "readiness", 5)


def test_a_stranger_is_not_heard(played):
    stranger = played.task(0, secret="guessed")
    stranger.socket.settimeout(5)
    with pytest.raises(EOFError):
        stranger.receive()
    assert not played.roster.members and not played.roster.heard_of


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"[1]\n", b'{"wave": 0}\n', b"\xff\n"])
def test_who_speaks_otherwise_is_cut_off(played, noise):
    with socket.create_connection(played.meeting.address) as stranger:
        stranger.sendall(noise)
        stranger.settimeout(5)
        assert stranger.recv(100) == b""
    played.task(1)
    played.members(1)


def test_another_version_is_refused_and_named(played):
    line = played.task(0, version="paceline 2")
    assert next_word(line) == "stop"
    assert played.roster.failures == ["worker/100: has paceline 2, the driver paceline 1"]


def test_a_task_that_meets_an_executor_leaves(played):
    played.task(0)
    played.members(1)
    assert next_word(played.task(1, doubled=True)) == "leave"


def test_a_second_attempt_at_a_running_task_waits_for_the_end(played):
    """Spark would end the first one when the second is done."""
    first = played.task(0)
    played.members(1)
    second = played.task(0, doubled=True)
    wait_for(lambda: played.roster.doubled, "the second attempt", 5)
    assert not played.roster.stop(0)
    assert (next_word(first), next_word(second)) == ("stop", "leave")


def test_it_is_known_since_when_no_executor_is_there(played):
    assert played.roster.alone_since is None
    first, second = played.task(0), played.task(1)
    played.members(2)
    first.send({"ended": 1, "said": ["error: no disk", "bye"]})
    played.members(1)
    assert played.roster.failures == ["worker/100: ended with 1: error: no disk"]
    assert played.roster.alone_since is None
    second.close()
    played.members(0)
    assert played.roster.failures[-1] == "worker/101: its task is gone"
    assert played.roster.alone_since is not None
    played.task(2, wave=1)
    played.members(1)
    assert played.roster.alone_since is None


def test_what_ends_because_it_was_asked_to_is_no_failure(played):
    line = played.task(0)
    played.members(1)
    assert not played.roster.stop(0)
    assert next_word(line) == "stop"
    line.send({"ended": 0, "said": []})
    assert played.roster.stop(5)
    assert played.roster.failures == []


def test_who_comes_late_is_sent_away(played):
    assert played.roster.stop(0)
    assert next_word(played.task(0)) == "stop"


def test_a_worker_without_the_program_says_so(played):
    played.task(0, failed="there is no program").close()
    wait_for(lambda: played.roster.failures, "the failure", 5)
    assert played.roster.failures == ["worker/100: there is no program"] and not played.roster.members
