"""Secrets are sent to the API, and are nowhere in what a job says and leaves."""

import base64
import json
import struct
from urllib.parse import quote, quote_plus

import pytest
import zstandard
from conftest import keys
from servers import Server

TOKEN = "planted-token-of-the-server"
STATUSES = [200, 500, 401, 404]
RECORDS = 40


class Echo(Server):
    """Answers each fourth id; the others get 500, 401 and 404, with all that was received. /token gives a token."""

    def __init__(self):
        self.tokens_asked = []
        super().__init__()

    def reply(self, method, path, headers, body):
        if path == "/token":
            self.tokens_asked.append(headers)
            return 200, [], json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}).encode()
        id = json.loads(body)["id"]
        status = STATUSES[id % 4]
        if status == 200:
            return 200, [], json.dumps({"score": id}).encode()
        received = {"path": path, "headers": headers, "body": body.decode(), "message": f"refused: {headers}"}
        return status, [("X-Received", path)], json.dumps(received).encode()

    def received(self):
        return json.dumps(self.requests) + json.dumps(self.tokens_asked)


def forms(secret):
    """The secret as it may be found: itself, and as headers, URLs and JSON have it."""
    plain = {secret, quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode()}
    once = {json.dumps(form)[1:-1] for form in plain}
    return plain | once | {json.dumps(form)[1:-1] for form in once}  # an error's body is JSON in JSON


def unpacked(segment):
    """The blocks of a segment of the journal, each without its compression."""
    if not segment.endswith(b"PACEJRN1"):
        return b""
    _, length = struct.unpack("<II", segment[-16:-8])
    footer = json.loads(segment[-16 - length : -16])
    blocks = [segment[block["offset"] : block["offset"] + block["length"]] for block in footer["blocks"]]
    return b"".join(zstandard.ZstdDecompressor().decompressobj().decompress(block) for block in blocks)


def everything_left(paceline, said):
    """What was said and each file, with the journal unpacked, by name."""
    left = {"said": said.encode()}
    for file in paceline.folder.rglob("*"):
        if file.is_file():
            left[str(file.relative_to(paceline.folder))] = file.read_bytes() + unpacked(file.read_bytes())
    return left


def assert_nowhere(secrets, left):
    found = {(form, name) for secret in secrets for form in forms(secret) for name in left if form.encode() in left[name]}
    assert found == set()


def run(paceline, api, options, more="on_error 'dead_letter'", **env):
    """Runs a job that says and leaves as much as one can."""
    declared = f"""f(id BIGINT) RETURNS STRUCT<score: BIGINT> USING API OPTIONS (endpoint '{api.url}/score',
        rate_limit_calls 'unlimited', max_in_flight '4', retry_max_attempts '2', retry_delay '1 ms', {more}, {options})"""
    query = "SELECT id, f(id).score AS score FROM records"
    first = f"DESCRIBE FUNCTION EXTENDED f; EXPLAIN EXTENDED {query}; EXPLAIN FORMATTED {query}; EXPLAIN COST {query};"
    arguments = ["--conf", "paceline.checkpoint.keep=true", "--conf", "paceline.api.default.timeout=10 seconds"]
    arguments += ["--job-id", "nightly", "--log-format", "json"]
    job = paceline.local(range(RECORDS), declared, *arguments, first=first, select="id, f(id).score AS score")
    env |= {"PACELINE_LOG": "debug"}
    code, output, said = paceline.run_and_read(*job, **env)
    _, config, more = paceline.run_and_read("config", **env)
    assert "auth" in output and "ApiCall" in output and "auth_secret" in config
    return code, output + said + config + more


def assert_left(paceline, left):
    """The run did leave what is to be searched."""
    assert len(paceline.answers()) == RECORDS // 4 and len(paceline.dead_letters()) == 3 * RECORDS // 4
    assert {letter["status"] for letter in paceline.dead_letters()} == {500, 401, 404}
    assert all("user-agent" in letter["body"] for letter in paceline.dead_letters())
    assert any("/journal-" in name and b'"score"' in content for name, content in left.items())
    assert any(name.startswith("state/") for name in left) and "report.json" in left
    assert b"DEBUG" in left["said"]


def check(paceline, options, secrets, sent, **env):
    """Runs the job with dead letters, and until its first error; `sent` is what the API must have seen."""
    with Echo() as api:
        options = options.replace("{api}", api.url)
        code, said = run(paceline, api, options, **env)
        assert code == 0, said
        assert sent in api.received()
        left = everything_left(paceline, said)
        assert_left(paceline, left)
        assert_nowhere(secrets, left)
        code, said = run(paceline, api, options, more="on_error 'fail'", **env)
        assert code == 1, said
        assert_nowhere(secrets, everything_left(paceline, said))
        assert api.tokens_asked or "oauth2" not in options
        return api


@pytest.fixture
def hidden(tmp_path_factory):
    """A file with a secret, apart from what a job leaves."""
    return tmp_path_factory.mktemp("hidden") / "secret"


def test_bearer_of_the_environment(paceline):
    secret = "planted-bearer-4711"
    check(paceline, "auth 'bearer', auth_secret 'env:PLANTED'", [secret], f"Bearer {secret}", PLANTED=secret)


def test_basic_of_a_file(paceline, hidden):
    hidden.write_text("planted:pass/word+4712\n")
    options = f"auth 'basic', auth_user 'ada', auth_secret 'file:{hidden}'"
    pair = base64.b64encode(b"ada:planted:pass/word+4712").decode()
    check(paceline, options, ["planted:pass/word+4712", pair], f"Basic {pair}")


def test_user_and_password_of_a_file(paceline, hidden):
    hidden.write_text("ada:planted-password-4713")
    pair = base64.b64encode(b"ada:planted-password-4713").decode()
    secrets = ["ada:planted-password-4713", "planted-password-4713", pair]
    check(paceline, f"auth 'basic', auth_secret 'file:{hidden}'", secrets, f"Basic {pair}")


def test_header_of_secrets_manager(aws, paceline):
    field, other = "planted-header-4714", "planted-beside-4715"
    text = json.dumps({"key": field, "other": other})
    aws.client("secretsmanager").create_secret(Name=f"api/{aws.source}", SecretString=text)
    options = f"auth 'header', auth_name 'X-Api-Key', auth_secret 'aws-secret:api/{aws.source}#key'"
    env = keys(aws.url) | {"AWS_SECRET_ACCESS_KEY": "planted-aws-key-4716"}
    check(paceline, options, [field, other, "planted-aws-key-4716"], field, **env)


def test_query(paceline):
    secret = "planted query/4717+&=é"
    options = "auth 'query', auth_name 'key', auth_secret 'env:PLANTED'"
    check(paceline, options, [secret], f"key={quote_plus(secret)}", PLANTED=secret)


OAUTH2 = """auth 'oauth2', oauth2_token_url '{api}/token', oauth2_client_id 'us',
    oauth2_client_secret 'env:PLANTED'"""


def test_oauth2(paceline):
    secret = "planted-client-4718"
    pair = base64.b64encode(f"us:{secret}".encode()).decode()
    api = check(paceline, OAUTH2, [secret, TOKEN, pair], f"Bearer {TOKEN}", PLANTED=secret)
    assert api.tokens_asked[0]["authorization"] == f"Basic {pair}"


def test_a_token_server_that_quotes_what_it_refuses(paceline):
    secret = "planted-client-4719"
    with Echo() as api:

        def refuse(method, path, headers, body):
            description = f"{secret} is wrong: {headers}"
            return 400, [], json.dumps({"error": "invalid_client", "error_description": description}).encode()

        api.reply = refuse
        code, said = run(paceline, api, OAUTH2.replace("{api}", api.url), PLANTED=secret)
    assert code == 1 and "invalid_client" in said and {path for _, path, _ in api.requests} == {"/token"}, said
    pair = base64.b64encode(f"us:{secret}".encode()).decode()
    assert pair in api.received()
    assert_nowhere([secret, pair], everything_left(paceline, said))


@pytest.mark.parametrize("option", ["auth_secret", "endpoint"])
def test_a_secret_in_place_of_a_reference_is_refused_unseen(paceline, option):
    """It stands in the script, but nothing repeats it."""
    secret = "planted-by-mistake-4720"
    given = {"auth_secret": "env:PLANTED", "endpoint": "http://127.0.0.1/"}
    given |= {option: {"auth_secret": secret, "endpoint": f"http://ada:{secret}@127.0.0.1/"}[option]}
    declared = f"""f(id BIGINT) RETURNS BIGINT USING API OPTIONS (rate_limit_calls 'unlimited', auth 'bearer',
        auth_secret '{given["auth_secret"]}', endpoint '{given["endpoint"]}')"""
    code, output, said = paceline.run_and_read(*paceline.local([1], declared), PACELINE_LOG="info")
    assert code == 1 and f"option '{option}' is '(not shown)'" in said, said
    (paceline.folder / "job.sql").unlink()
    left = everything_left(paceline, output + said)
    assert_nowhere([secret], {name: text for name, text in left.items() if not name.startswith("state/")})


def test_keys_that_sign(paceline):
    secret = "planted/aws+key-4721"
    env = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1"}
    check(paceline, "auth 'aws-sigv4', aws_service 'execute-api'", [secret], "Credential=AKIAPLANTED", **env)
