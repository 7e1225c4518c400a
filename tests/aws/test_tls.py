"""Behind a proxy, with certificates of a private authority: S3, the credentials and the API."""

import subprocess

import pytest
from conftest import keys
from servers import Api, ConnectProxy, Front


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """An authority, and a certificate of it for all names of the tests."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName = IP:127.0.0.1, DNS:s3.test.invalid, DNS:api.test.invalid\n")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ours", "-days", "2")
    openssl("req", *new, "-keyout", "key.pem", "-out", "request", "-subj", "/CN=test")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "request", *signed, "-out", "cert.pem")
    return folder


def test_everything_behind_a_proxy(aws, paceline, authority):
    tls = (authority / "cert.pem", authority / "key.pem")
    with Front(aws.port, tls=tls) as front, Api(tls=tls) as api:
        ports = {"s3.test.invalid": front.port, "api.test.invalid": api.port}
        with ConnectProxy(ports) as proxy:
            run = paceline.job(aws, "https://api.test.invalid/")
            env = keys("https://s3.test.invalid") | {"HTTPS_PROXY": proxy.url}
            code, said = paceline.run(*run, **env, SSL_CERT_FILE=authority / "ca.pem")
    assert code == 0, said
    aws.assert_exact()
    assert set(proxy.asked) == {("CONNECT", "s3.test.invalid:443"), ("CONNECT", "api.test.invalid:443")}


def test_aws_ca_bundle_is_trusted_by_s3_and_the_chain(aws, paceline, authority):
    tls = (authority / "cert.pem", authority / "key.pem")
    (paceline.folder / "token").write_text("a.b.c")
    role = {
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/reader",
        "AWS_WEB_IDENTITY_TOKEN_FILE": paceline.folder / "token",
        "AWS_REGION": "us-east-1",
    }
    with Front(aws.port, tls=tls) as front, ConnectProxy({"s3.test.invalid": front.port}) as proxy:
        env = role | {"AWS_ENDPOINT_URL": "https://s3.test.invalid", "HTTPS_PROXY": proxy.url}
        code, said = paceline.count(aws, **env, AWS_CA_BUNDLE=authority / "ca.pem")
        assert code == 0, said
        assert [path for _, path, _ in front.requests][0] == "/"  # STS, then S3
        code, said = paceline.count(aws, **env)
        assert code == 1 and "certificate" in said.lower(), said
        code, said = paceline.count(aws, **env, AWS_CA_BUNDLE=paceline.folder / "none.pem")
        assert code == 1 and "the file that AWS_CA_BUNDLE names" in said, said
        code, said = paceline.count(aws, **env, AWS_CA_BUNDLE=paceline.folder / "token")
        assert code == 1 and "holds no certificates" in said, said
