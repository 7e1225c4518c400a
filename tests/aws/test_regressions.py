"""Mistakes that were there once."""

import json

import pytest
from servers import Api
from test_allowed_hosts import job
from test_secrets import assert_nowhere, check, everything_left


def test_hosts_of_the_session(paceline):
    with Api() as api:
        code, said = job(paceline, api.url, "--conf", "paceline.api.allowed_hosts=10.0.0.0/8, *.example.com")
        assert code == 1 and "requests to '127.0.0.1' are not allowed" in said, said
        assert api.requests == []
        code, said = job(paceline, api.url, "--conf", f"paceline.api.allowed_hosts=http://127.0.0.0/8:{api.port}")
        assert code == 0 and len(paceline.answers()) == 3, said


def test_an_option_does_not_widen_the_list_of_the_session(paceline):
    with Api() as api:
        allowed = ["--conf", "paceline.api.allowed_hosts=10.0.0.0/8"]
        code, said = job(paceline, api.url, *allowed, options=f", allowed_hosts '127.0.0.1:{api.port}'")
    assert code == 1 and "are not allowed" in said and "paceline.api.allowed_hosts" in said, said
    assert api.requests == []


def test_a_good_job_warns_of_nothing(paceline):
    with Api() as api:
        code, said = job(paceline, api.url)
    assert code == 0 and "WARN" not in said, said


def test_the_token_of_a_session_that_signs(paceline):
    secret, token = "planted/aws+key-4721", "planted-aws-session-4722"
    env = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token, "AWS_REGION": "us-east-1"}
    check(paceline, "auth 'aws-sigv4', aws_service 'execute-api'", [secret, token], token, **env)


def test_a_header_that_json_writes_otherwise(paceline):
    secret = 'planted"4723\\header'
    check(paceline, "auth 'header', auth_name 'X-Api-Key', auth_secret 'env:PLANTED'", [secret], json.dumps(secret)[1:-1], PLANTED=secret)


@pytest.mark.parametrize("option", ["auth_secret", "endpoint"])
def test_a_secret_in_place_of_a_reference_is_not_even_logged(paceline, option):
    """It stands in the script, but nothing repeats it."""
    secret = "planted-by-mistake-4720"
    wrong = {"auth_secret": f"auth_secret '{secret}'", "endpoint": f"auth_secret 'env:X', endpoint 'http://ada:{secret}@127.0.0.1/'"}
    declared = f"f(id BIGINT) RETURNS BIGINT USING API OPTIONS (rate_limit_calls 'unlimited', auth 'bearer', {wrong[option]}"
    declared += ")" if option == "endpoint" else ", endpoint 'http://127.0.0.1/')"
    code, output, said = paceline.run_and_read(*paceline.local([1], declared), PACELINE_LOG="debug")
    assert code == 1 and f"option '{option}' is '(not shown)'" in said, said
    (paceline.folder / "job.sql").unlink()
    left = everything_left(paceline, output + said)
    assert_nowhere([secret], {name: text for name, text in left.items() if not name.startswith("state/")})
