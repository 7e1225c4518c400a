"""The API of the job service against its own OpenAPI document: no request makes it answer with 5xx, or otherwise than it says."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

BINARY = os.environ["PACELINE"]
TOKEN = "0123456789abcdef-fuzz"


@pytest.fixture
def service(tmp_path):
    env = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "PACELINE_TOKEN": TOKEN}
    flags = ["scheduler", "--bind", "127.0.0.1:0", "--run-jobs", "embedded", "--state-dir", str(tmp_path / "kept")]
    process = subprocess.Popen([BINARY, *flags], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    url = None
    for line in process.stderr:
        if line.startswith("page at "):
            url = line.removeprefix("page at ").strip()
            break
    assert url, f"the scheduler ended with {process.wait()}"
    yield url
    process.kill()
    process.wait()


def ask(url, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url + path, data=data, headers=headers), timeout=30) as reply:
        return json.load(reply)


def test_the_api_is_as_its_document_says(service, tmp_path):
    # A job that there is, so that its routes are reached.
    run = ask(service, "/api/v1/jobs", {"sql": "SELECT 1", "job_name": "known"})
    document = ask(service, "/api/v1/openapi.json")
    for path, item in document["paths"].items():
        if "{id}" in path:
            item["parameters"][0] = item["parameters"][0] | {"examples": {"known": {"value": run["id"]}}}
    # Streams of events do not end; the browser's test reads them.
    for path in ("/api/v1/events", "/api/v1/jobs/{id}/events"):
        del document["paths"][path]
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    command = [Path(sys.executable).parent / "schemathesis", "run", tmp_path / "openapi.json", "--url", service]
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"
    command += ["--header", f"Authorization: Bearer {TOKEN}", "--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--checks", checks, "--generation-deterministic"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
