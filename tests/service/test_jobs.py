"""Jobs over REST and from the command line: lists in pages, events from where a reader stopped, errors as RFC 9457 has them."""

import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest
from cluster import BINARY, Process, until

TOKEN = "0123456789abcdef-jobs"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR")


class Service:
    """A scheduler that runs jobs itself, and a job with dead letters that has ended on it."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("PACELINE_")}
        self.env |= {"XDG_STATE_HOME": str(folder / "state"), "PACELINE_TOKEN": TOKEN}
        self.scheduler = Process(folder, ["scheduler", "--bind", "127.0.0.1:0", "--run-jobs", "embedded", "--state-dir", "kept"], self.env)
        self.page = self.env["PACELINE_SERVER"] = self.scheduler.says("page")
        self.api = Process(folder, ["mock-api", "--port", "0", "--fail-percent", "30"], self.env)
        sql = f"""
            CREATE TEMPORARY FUNCTION f(id BIGINT) RETURNS STRUCT<status: STRING> USING API OPTIONS (endpoint '{self.api.says("api")}',
              rate_limit_calls 'unlimited', retry_max_attempts '1', breaker 'off', max_failed_percent '100');
            INSERT OVERWRITE DIRECTORY '{folder}/out' USING json SELECT id, f(id) AS answer FROM range(60);"""
        self.job = self.submit(sql, "letters", variables={"db_password": "hunter2", "day": "monday"}, conf={"spark.app.name": "x"})
        assert self.ended(self.job)["state"] == "SUCCEEDED"

    def reply(self, path, body=None, token=TOKEN, method=None, headers=()):
        sent = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}) | dict(headers)
        data = json.dumps(body).encode() if body is not None else None
        return urllib.request.urlopen(urllib.request.Request(self.page + path, data=data, headers=sent, method=method), timeout=30)

    def ask(self, path, body=None):
        with self.reply(path, body) as reply:
            return json.load(reply)

    def refusal(self, path, body=None, **more):
        with pytest.raises(urllib.error.HTTPError) as error:
            self.reply(path, body, **more)
        with error.value as reply:
            return reply.code, reply.headers, json.load(reply)

    def submit(self, sql, name, **more):
        return self.ask("/api/v1/jobs", {"sql": sql, "job_name": name, **more})["id"]

    def ended(self, id):
        def look():
            job = self.ask(f"/api/v1/jobs/{id}")
            return job if job["state"] in ENDED else None

        return until(look)

    def pages(self, path, name, limit):
        """The items of every page, and how many each has."""
        items, sizes, token = [], [], None
        while True:
            page = self.ask(f"{path}{'&' if '?' in path else '?'}limit={limit}" + (f"&page_token={token}" if token else ""))
            items += page[name]
            sizes.append(len(page[name]))
            token = page["next_page_token"]
            if not token:
                return items, sizes

    def events(self, id, after=None):
        """The ids and lines of a job that has ended, as server-sent events."""
        with self.reply(f"/api/v1/jobs/{id}/events", headers={"Last-Event-ID": str(after)} if after else {}) as reply:
            assert reply.headers["content-type"] == "text/event-stream"
            *blocks, last = [dict(line.split(": ", 1) for line in block.splitlines()) for block in reply.read().decode().split("\n\n") if block]
        assert last["event"] == "end"
        return [(int(block["id"]), json.loads(block["data"])) for block in blocks]

    def run(self, *flags):
        done = subprocess.run([BINARY, *flags], env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("jobs"))
    yield service
    service.scheduler.kill()
    service.api.kill()


def test_every_route_of_the_document_needs_the_token(service):
    document = service.ask("/api/v1/openapi.json")
    routes = [(method, path) for path, item in document["paths"].items() for method in item if method != "parameters"]
    assert len(routes) >= 14
    for method, path in [*routes, ("get", "/metrics")]:
        for token in (None, TOKEN + "x"):
            code, headers, problem = service.refusal(path.replace("{id}", service.job), token=token, method=method.upper())
            assert (code, problem["status"]) == (401, 401), path
            assert headers["www-authenticate"].startswith("Bearer") and headers["content-type"] == "application/problem+json", path


def test_errors_are_problems_with_a_type_that_stays(service):
    asked = [
        ("/api/v1/jobs/jr_none", None, 404, "not-found"),
        ("/api/v1/nothing", None, 404, "not-found"),
        ("/api/v1/jobs?limit=0", None, 400, "malformed"),
        ("/api/v1/jobs", {"sql": " "}, 422, "invalid"),
        ("/api/v1/jobs", {"sql": "SELECT 1", "colour": "blue"}, 422, "malformed"),
        ("/api/v1/jobs", {"sql": "SELECT 1", "conf": {"paceline.state.dir": "/tmp"}}, 422, "invalid"),
        (f"/api/v1/jobs/{service.job}/cancel", {}, 409, "conflict"),
        (f"/api/v1/jobs/{service.job}", {}, 405, "method-not-allowed"),
    ]
    for path, body, status, kind in asked:
        code, headers, problem = service.refusal(path, body)
        assert (code, problem["status"], problem["type"]) == (status, status, f"urn:paceline:problem:{kind}"), path
        assert problem["title"] and problem["detail"] and headers["content-type"] == "application/problem+json", path


def test_lists_come_in_pages_without_a_gap(service):
    ids = [service.submit("SELECT 1", "paged") for _ in range(7)]
    path = "/api/v1/jobs?job_name=paged"
    jobs, sizes = service.pages(path, "jobs", 3)
    assert ([job["id"] for job in jobs], sizes) == (ids[::-1], [3, 3, 1])
    assert service.pages(path, "jobs", 7)[1] == [7]
    failed = service.ask(f"/api/v1/jobs/{service.job}")["failed"]
    letters, sizes = service.pages(f"/api/v1/jobs/{service.job}/dead-letters", "dead_letters", 4)
    assert len(letters) == failed > 4 and set(sizes[:-1]) == {4}
    rows = [json.dumps(letter["row"]) for letter in letters]
    assert len(set(rows)) == failed
    lines, _ = service.pages(f"/api/v1/jobs/{service.job}/logs", "lines", 2)
    assert lines == service.ask(f"/api/v1/jobs/{service.job}/logs?limit=500")["lines"]
    assert [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)
    for id in ids:
        assert service.ended(id)["state"] == "SUCCEEDED"


def test_events_go_on_behind_the_last_that_was_read(service):
    events = service.events(service.job)
    assert [id for id, _ in events] == list(range(1, len(events) + 1)) and len(events) > 5
    assert all(line["seq"] == id and line["v"] == 1 for id, line in events)
    assert events[-1][1]["event"] in ("job_ended", "dead_letters", "progress", "stages")
    assert service.events(service.job, after=4) == events[4:]
    assert service.events(service.job, after=len(events)) == []


def test_what_may_be_secret_is_not_told(service):
    job = service.ask(f"/api/v1/jobs/{service.job}")
    assert job["variables"] == {"db_password": "********", "day": "monday"}
    with service.reply(f"/api/v1/jobs/{service.job}/events") as reply:
        assert "hunter2" not in reply.read().decode()
    assert "hunter2" not in service.run("jobs", "status", service.job, "--json")


def test_dead_letters_are_sent_again_as_a_run_of_its_own(service):
    job = service.ask(f"/api/v1/jobs/{service.job}")
    again = json.loads(service.run("jobs", "redrive", service.job, "--json"))
    assert (again["redrive_of"], again["job_name"]) == (service.job, "letters")
    done = service.ended(again["id"])
    assert (done["state"], done["requests"]) == ("SUCCEEDED", job["failed"]), done
    code, _, problem = service.refusal(f"/api/v1/jobs/{again['id']}/redrive", {})
    assert code == 409 and "only the dead letters of a submitted job" in problem["detail"]


def test_a_retry_goes_on_with_the_answers_that_were_paid_for(service):
    sql = f"""
        CREATE TEMPORARY FUNCTION g(id BIGINT) RETURNS STRUCT<status: STRING> USING API OPTIONS (endpoint '{service.api.says("api")}',
          rate_limit_calls '400', retry_max_attempts '1', breaker 'off', max_failed_percent '100', max_failed_records '40');
        INSERT OVERWRITE DIRECTORY '{service.folder}/again' USING json SELECT id, g(id) AS answer FROM range(1000);"""
    id = service.submit(sql, "again", max_retries=1)
    job = service.ended(id)
    assert (job["state"], job["attempt"], len(job["attempts"])) == ("FAILED", f"{id}_attempt_1", 2), job
    assert "max_failed_records" in job["error"]
    report = job["report"]
    assert report["answers_reused"] > 0, report
    assert [attempt["state"] for attempt in job["attempts"]] == ["FAILED", "FAILED"]


def test_the_command_line_says_it_for_people_and_as_json(service):
    id = service.job
    head, *rows = service.run("jobs", "list", "--job-name", "letters", "--limit", "500").splitlines()
    assert head.split() == ["JOB", "NAME", "STATE", "RECORDS", "FAILED", "REQUESTS/S", "SUBMITTED"]
    [row] = [row for row in rows if row.startswith(id)]
    assert row.split()[1:4] == ["letters", "SUCCEEDED", "60/60"]
    assert len({line.index("SUCCEEDED") for line in rows if "SUCCEEDED" in line}) == 1, "columns stand below each other"
    status = service.run("jobs", "show", id)
    assert status.startswith(f"{id}  letters  SUCCEEDED") and f"file://{service.folder}/out" in status
    assert "ApiCall" in service.run("jobs", "plan", id)
    assert "http_5xx" in service.run("jobs", "dead-letters", id).splitlines()[0]
    assert service.run("jobs", "logs", id).splitlines()[-1].split(" ", 1)[1]
    for flags, kind in [(["list"], list), (["status", id], dict), (["plan", id], dict)]:
        assert isinstance(json.loads(service.run("jobs", *flags, "--json")), kind), flags
    for flags in (["logs", id], ["dead-letters", id]):
        lines = service.run("jobs", *flags, "--json").splitlines()
        assert lines and all(isinstance(json.loads(line), dict) for line in lines), flags


def test_what_happens_is_followed_to_the_end(service):
    (service.folder / "followed.sql").write_text("SELECT 41 + 1 AS answer")
    said = subprocess.run([BINARY, "submit", "followed.sql", "--follow", "--json"], env=service.env, cwd=service.folder, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["state"] == "SUCCEEDED"
    assert "statement 1 of 1: SELECT 41 + 1 AS answer" in said.stderr and "42" in said.stderr
    lines = [line for line in said.stderr.splitlines() if "statement 1" in line]
    assert len(lines) == len(set(lines)), "nothing is said twice"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_the_commands(service, shell):
    script = service.run("completions", shell)
    assert "dead-letters" in script and "max-concurrent-runs" in script


def test_help_has_examples(service):
    for command in ("submit", "jobs"):
        assert f"Examples:\n  paceline {command} " in service.run(command, "--help")
