"""Tokens of OAuth 2.0 for client credentials: fetched once, renewed in time, and once more after a refusal."""

import base64
import json
import threading
from urllib.parse import parse_qs

from servers import Server

CLIENT_SECRET = "s3cr3t of a client"


class TokenApi(Server):
    """Gives tokens `token-1`, `token-2`, … at /token; all else is the API, which `accepts` a token or says 401."""

    def __init__(self, expires_in=3600, accepts=lambda token: True):
        self.expires_in = expires_in
        self.accepts = accepts
        self.lock = threading.Lock()
        self.asked = []
        self.given = []
        self.used = []
        super().__init__()

    def reply(self, method, path, headers, body):
        given = {name.lower(): value for name, value in headers.items()}["authorization"]
        if path == "/token":
            with self.lock:
                self.asked.append((given, parse_qs(body.decode())))
                self.given.append(f"token-{len(self.given) + 1}")
                reply = {"access_token": self.given[-1], "token_type": "Bearer", "expires_in": self.expires_in}
            return 200, [("Content-Type", "application/json")], json.dumps(reply).encode()
        token = given.removeprefix("Bearer ")
        with self.lock:
            self.used.append(token)
        if not self.accepts(token):
            return 401, [("WWW-Authenticate", 'Bearer error="invalid_token"')], b""
        return 200, [], body


def ask(paceline, api, records, pace="rate_limit_calls 'unlimited', max_in_flight '4'"):
    declared = f"""f(id BIGINT) RETURNS STRUCT<id: BIGINT> USING API OPTIONS (endpoint '{api.url}/', {pace}, auth 'oauth2',
        oauth2_token_url '{api.url}/token', oauth2_client_id 'the client', oauth2_client_secret 'env:CLIENT_SECRET',
        oauth2_scope 'read write', oauth2_audience 'the api', retry_delay '1 ms')"""
    run = paceline.local(range(records), declared, select="f(id).id AS id")
    return paceline.run(*run, CLIENT_SECRET=CLIENT_SECRET)


def answered(paceline):
    return [row["id"] for row in paceline.answers()]


def test_one_token_serves_all_requests(paceline):
    with TokenApi() as api:
        code, said = ask(paceline, api, 50)
    assert code == 0 and answered(paceline) == list(range(50)), said
    assert api.used == ["token-1"] * 50
    ((basic, form),) = api.asked
    # RFC 6749 2.3.1: each is encoded as in a form.
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"the+client:s3cr3t+of+a+client"
    assert form == {"grant_type": ["client_credentials"], "scope": ["read write"], "audience": ["the api"]}


def test_a_token_is_renewed_before_it_expires(paceline):
    """The pace makes the job longer than the life of a token."""
    with TokenApi(expires_in=1) as api:
        code, said = ask(paceline, api, 12, "rate_limit_calls '8', max_in_flight '1'")
    assert code == 0 and answered(paceline) == list(range(12)), said
    # In order, each until the next is there: no token is used after it was replaced.
    assert list(dict.fromkeys(api.used)) == api.given and api.used == sorted(api.used)
    assert 2 <= len(api.given) <= 4 and len(api.used) == 12


def test_a_refused_token_is_renewed_once_for_all_who_were_refused(paceline):
    together = threading.Barrier(4)

    def accepts(token):
        if token == "token-1":
            together.wait(30)
        return token != "token-1"

    with TokenApi(accepts=accepts) as api:
        code, said = ask(paceline, api, 4)
    assert code == 0 and answered(paceline) == list(range(4)), said
    assert api.given == ["token-1", "token-2"] and sorted(api.used) == ["token-1"] * 4 + ["token-2"] * 4


def test_tokens_that_are_always_refused_are_not_fetched_for_ever(paceline):
    with TokenApi(accepts=lambda token: False) as api:
        code, said = ask(paceline, api, 4)
    assert code == 0 and answered(paceline) == [], said
    assert api.given == ["token-1", "token-2"] and set(api.used) == set(api.given)
    assert [letter["status"] for letter in paceline.dead_letters()] == [401] * 4
