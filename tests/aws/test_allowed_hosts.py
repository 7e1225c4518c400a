"""Which hosts are reached: those of a list, and never the metadata of a cloud."""

import pytest
from servers import Api, Server


def job(paceline, endpoint, *arguments, options=""):
    declared = f"""f(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (endpoint '{endpoint}',
        rate_limit_calls 'unlimited', retry_max_attempts '1' {options})"""
    return paceline.run(*paceline.local([1, 2, 3], declared, *arguments, select="id, f(id).score AS score"), SECRET="hunter2")


@pytest.mark.parametrize("setting", ["paceline.api.default.allowed_hosts", "paceline.api.f.allowed_hosts"])
def test_hosts_of_a_setting(paceline, setting):
    with Api() as api:
        code, said = job(paceline, api.url, "--conf", f"{setting}=10.0.0.0/8, *.example.com")
        assert code == 1 and "requests to '127.0.0.1' are not allowed" in said, said
        assert api.requests == [] and not (paceline.folder / "out").exists()
        code, said = job(paceline, api.url, "--conf", f"{setting}=http://127.0.0.0/8:{api.port}")
        assert code == 0 and len(paceline.answers()) == 3, said


def test_another_port_is_another_host(paceline):
    with Api() as api, Api() as other:
        code, said = job(paceline, api.url, options=f", allowed_hosts '127.0.0.1:{other.port}'")
    assert code == 1 and "are not allowed" in said and api.requests == [], said


def test_the_addresses_of_a_name_are_checked(paceline):
    with Api() as api:
        code, said = job(paceline, f"http://localhost:{api.port}", options=", allowed_hosts '10.0.0.0/8'")
        assert api.requests == [] and paceline.answers() == [], said
        assert "are not allowed" in said + str(paceline.dead_letters())
        allowed = f", allowed_hosts 'http://localhost:{api.port}'"
        code, said = job(paceline, f"http://localhost:{api.port}", options=allowed)
        assert code == 0 and len(paceline.answers()) == 3, said


def test_a_token_is_not_fetched_from_elsewhere(paceline):
    with Api() as api, Server() as tokens:
        code, said = job(
            paceline,
            api.url,
            options=f""", allowed_hosts '127.0.0.1:{api.port}', auth 'oauth2', oauth2_token_url '{tokens.url}/token',
                oauth2_client_id 'us', oauth2_client_secret 'env:SECRET'""",
        )
    assert code == 1 and "oauth2_token_url" in said and "are not allowed" in said, said
    assert tokens.requests == api.requests == []


def test_a_redirect_is_not_followed_to_elsewhere(paceline):
    with Api() as elsewhere, Server() as api:
        api.reply = lambda *_: (307, [("Location", elsewhere.url)], b"")
        code, said = job(paceline, api.url, options=", auth 'bearer', auth_secret 'env:SECRET'")
    assert code == 0 and len(paceline.dead_letters()) == 3, said
    assert len(api.requests) == 3 and elsewhere.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "metadata.google.internal",
    ],
)
def test_metadata_of_a_cloud_is_never_reached(paceline, host):
    for options in ("", ", allowed_hosts '169.254.169.254, ::/0, 0.0.0.0/0, metadata.google.internal'"):
        code, said = job(paceline, f"http://{host}/latest/meta-data", options=options)
        assert code == 1 and "are not allowed: link-local" in said, said
