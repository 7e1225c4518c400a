"""A webhook hears of every change of a job's state, as of Glue's events, though the scheduler is killed, and jobs do not wait for it."""

import json
import os
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cluster import Process, until


class Hook:
    """Takes events; `answers` are the statuses of the first ones, then it is 204. `names` is what their headers call them."""

    def __init__(self, answers=()):
        self.events, self.names, self.taken, self.answers, self.always = [], [], [], list(answers), 204
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status = hook.answers.pop(0) if hook.answers else hook.always
                hook.names.append(self.headers["webhook-id"])
                hook.events.append(event)
                if status == 204:
                    hook.taken.append(event)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"

    def told(self, events=None):
        """States and the runs they are of, as they came; what came again under its id counts once."""
        once = {event["id"]: event["detail"] for event in list(self.events if events is None else events)}
        return [(detail["state"], detail["jobRunId"]) for detail in once.values()]


class Service:
    """A scheduler that runs jobs itself and tells a hook."""

    def __init__(self, folder, hook):
        self.folder, self.hook = folder, hook
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("PACELINE_")} | {"XDG_STATE_HOME": str(folder / "state")}
        self.start()

    def start(self):
        flags = ["scheduler", "--bind", "127.0.0.1:0", "--run-jobs", "embedded", "--state-dir", "kept", "--webhook", self.hook.url]
        self.process = Process(self.folder, flags, self.env)
        self.page = self.process.says("page")

    def ask(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.page + path, data=data, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read().decode()

    def submit(self, sql, **more):
        return json.loads(self.ask("/api/v1/jobs", {"sql": sql, "job_name": "told", **more}))["id"]

    def slow(self, api, **more):
        """A job that calls once, and again in an hour."""
        return self.submit(f"""
            CREATE TEMPORARY FUNCTION slow(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{api}',
              rate_limit_calls '1', rate_limit_period '1 hour');
            INSERT OVERWRITE DIRECTORY '{self.folder}/out' USING json SELECT slow(id).score AS score FROM range(10);""", **more)


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


@pytest.fixture
def service(tmp_path, hook):
    service = Service(tmp_path, hook)
    yield service
    service.process.kill()


@pytest.fixture
def api(tmp_path, service):
    api = Process(tmp_path, ["mock-api", "--port", "0"], service.env)
    yield api.says("api")
    api.kill()


def test_every_state_of_every_attempt_is_told_in_order(service, hook):
    id = service.submit("SELECT * FROM csv.`/there/is/nothing`", max_retries=1, run_name="of today")
    until(lambda: [state for state, _ in hook.told()].count("FAILED") == 2)
    of_one = ["WAITING", "STARTING", "RUNNING", "FAILED"]
    assert hook.told() == [(state, run) for run in (id, f"{id}_attempt_1") for state in of_one]
    failed = hook.events[3]
    assert (failed["source"], failed["detail-type"]) == ("paceline", "Paceline Job State Change")
    detail = failed["detail"]
    assert (detail["jobName"], detail["runName"], detail["severity"]) == ("told", "of today", "ERROR")
    assert "/there/is/nothing" in detail["message"]
    assert len({event["id"] for event in hook.events}) == 8


def test_a_run_that_takes_long_is_told_of_and_runs_out_of_time(service, hook, api):
    id = service.slow(api, notify_delay_after_s=1, timeout_s=2)
    until(lambda: ("TIMEOUT", id) in hook.told())
    assert [state for state, _ in hook.told()] == ["WAITING", "STARTING", "RUNNING", "RUNNING", "TIMEOUT"]
    late, ended = hook.events[3:]
    assert (late["detail-type"], late["detail"]["notifyDelayAfter"]) == ("Paceline Job Run Status", 1)
    assert (ended["detail"]["severity"], ended["detail-type"]) == ("WARN", "Paceline Job State Change")


def test_an_event_that_was_not_taken_is_sent_again_before_the_next(service, hook):
    hook.answers = [503]
    id = service.submit("SELECT 1")
    until(lambda: ("SUCCEEDED", id) in hook.told())
    states = [event["detail"]["state"] for event in hook.events]
    assert states == ["WAITING", "WAITING", "STARTING", "RUNNING", "SUCCEEDED"]
    assert hook.events[0] == hook.events[1]
    assert hook.names == [event["id"] for event in hook.events]


def test_events_that_are_refused_are_counted_and_the_job_goes_on(service, hook):
    hook.always = 400
    id = service.submit("SELECT 1")
    until(lambda: "paceline_webhook_events_lost_total 4" in service.ask("/metrics"))
    assert json.loads(service.ask(f"/api/v1/jobs/{id}"))["state"] == "SUCCEEDED"
    assert [state for state, _ in hook.told()] == ["WAITING", "STARTING", "RUNNING", "SUCCEEDED"]


def test_a_scheduler_that_is_killed_and_started_again_tells_of_the_run_until_its_end(service, hook, api):
    id = service.slow(api)
    until(lambda: ("RUNNING", id) in hook.told())
    before = len(hook.told())
    service.process.kill()
    service.start()
    # A restart is no retry: it is the same attempt that waits, begins and runs.
    until(lambda: ("RUNNING", id) in hook.told()[before:])
    assert hook.told()[before:] == [("WAITING", id), ("STARTING", id), ("RUNNING", id)]
    service.ask(f"/api/v1/jobs/{id}/cancel", {})
    until(lambda: ("STOPPED", id) in hook.told())
    assert [state for state, _ in hook.told()[before + 3 :]] == ["STOPPING", "STOPPED"]


def test_what_was_not_taken_is_told_by_the_next_scheduler_and_what_was_taken_is_not_told_again(service, hook):
    hook.always = 503
    id = service.submit("SELECT 1")
    until(lambda: hook.events and json.loads(service.ask(f"/api/v1/jobs/{id}"))["state"] == "SUCCEEDED")
    service.process.kill()
    refused, hook.always = list(hook.events), 204
    service.start()
    until(lambda: ("SUCCEEDED", id) in hook.told(hook.taken))
    assert hook.told(hook.taken) == [(state, id) for state in ("WAITING", "STARTING", "RUNNING", "SUCCEEDED")]
    assert {event["id"] for event in refused} <= {event["id"] for event in hook.taken}
    # When the last event of another run comes, those of this one were let go of; that of the other may come again.
    other = service.submit("SELECT 2")
    until(lambda: ("SUCCEEDED", other) in hook.told())
    before = len(hook.events)
    service.process.kill()
    service.start()
    third = service.submit("SELECT 3")
    until(lambda: ("SUCCEEDED", third) in hook.told())
    again = [event for event in hook.events[before:] if event["detail"]["jobRunId"] != third]
    assert set(hook.told(again)) <= {("SUCCEEDED", other)}
