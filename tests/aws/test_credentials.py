"""Where the credentials come from: each link of AWS's chain."""

import json
import socket
import time

from conftest import keys
from servers import Credentials, Front

LATER = "2099-01-01T00:00:00Z"
PAST = "2020-01-01T00:00:00Z"


def profile(paceline, **files):
    """Writes files of AWS's own and names them in the environment."""
    variables = {"config": "AWS_CONFIG_FILE", "credentials": "AWS_SHARED_CREDENTIALS_FILE"}
    for name, text in files.items():
        (paceline.folder / name).write_text(text)
    return {variables[name]: paceline.folder / name for name in files}


def test_profile(aws, paceline):
    files = profile(
        paceline,
        credentials="[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = hunter2\n",
        config="[profile work]\nregion = eu-central-1\n",
    )
    elsewhere = f"eu-{aws.source}"
    aws.s3.create_bucket(Bucket=elsewhere, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    aws.s3.put_object(Bucket=elsewhere, Key="records.csv", Body=b"id\n1\n")
    with Front(aws.port) as front:
        env = files | {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL": front.url}
        code, said = paceline.run("data", "verify", f"s3://{elsewhere}/records.csv", **env)
    assert code == 0, said
    assert front.key_ids() == ["AKIAWORK"] and front.regions() == {"eu-central-1"}


def test_process_of_a_profile(aws, paceline):
    given = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "hunter2", "Expiration": LATER}
    (paceline.folder / "given.json").write_text(json.dumps(given))
    files = profile(paceline, config="[default]\ncredential_process = cat given.json\n")
    with Front(aws.port) as front:
        code, said = paceline.count(aws, AWS_ENDPOINT_URL_S3=front.url, **files)
    assert code == 0, said
    assert front.key_ids() == ["AKIAPROCESS"] and front.regions() == {"us-east-1"}


def test_container_is_asked_once_and_again_before_the_expiry(aws, paceline):
    for expiries, ids in [([LATER], ["key-1"]), ([PAST, LATER], ["key-1", "key-2"])]:
        with Front(aws.port) as front, Credentials(expiries) as container:
            uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{container.url}/credentials"}
            code, said = paceline.count(aws, AWS_ENDPOINT_URL=front.url, **uri)
        assert code == 0, said
        assert front.key_ids() == ids and container.given == len(ids)
        assert len(front.requests) > len(ids)


def test_instance(aws, paceline):
    with Front(aws.port) as front, Credentials([LATER]) as instance:
        metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": instance.url, "AWS_EC2_METADATA_DISABLED": "false"}
        code, said = paceline.count(aws, AWS_ENDPOINT_URL=front.url, **metadata)
    assert code == 0, said
    assert front.key_ids() == ["key-1"]


def test_web_identity(aws, paceline):
    (paceline.folder / "token").write_text("a.b.c")
    role = {
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/reader",
        "AWS_WEB_IDENTITY_TOKEN_FILE": paceline.folder / "token",
    }
    with Front(aws.port) as front:
        code, said = paceline.count(aws, AWS_ENDPOINT_URL=front.url, AWS_REGION="us-east-1", **role)
    assert code == 0, said
    assert len(front.key_ids()) == 1 and front.key_ids() != ["test"]
    assert all("x-amz-security-token" in headers for _, _, headers in front.signed())


def test_none_anywhere_is_said_at_once(aws, paceline):
    with Credentials([LATER]) as instance:
        instance.reply = lambda *_: (404, [], b"")  # as in other clouds
        metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": instance.url, "AWS_EC2_METADATA_DISABLED": "false"}
        begin = time.monotonic()
        code, said = paceline.count(aws, AWS_ENDPOINT_URL=aws.url, **metadata)
    assert code == 1 and time.monotonic() - begin < 20
    for expected in ("no AWS credentials were found", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "paceline.s3.anonymous"):
        assert expected in said


def test_an_instance_that_never_answers_is_given_up(aws, paceline):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"}
        begin = time.monotonic()
        code, said = paceline.count(aws, AWS_ENDPOINT_URL=aws.url, **metadata)
    assert code == 1 and "no AWS credentials were found" in said
    assert time.monotonic() - begin < 20


def test_a_profile_that_is_not_there_is_named(aws, paceline):
    files = profile(paceline, config="[default]\nregion = us-east-1\n")
    code, said = paceline.count(aws, AWS_PROFILE="nope", AWS_ENDPOINT_URL=aws.url, **files)
    assert code == 1 and "nope" in said and "credentials" in said, said


def test_local_files_need_none(aws, paceline):
    (paceline.folder / "records.csv").write_text("id\n1\n")
    with Credentials([LATER]) as instance:
        metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": instance.url, "AWS_EC2_METADATA_DISABLED": "false"}
        code, said = paceline.run("data", "verify", "records.csv", **metadata)
    assert code == 0 and instance.requests == [], said


def test_anonymous_requests_are_not_signed(aws, paceline):
    with Front(aws.port) as front:
        file = f"s3://{aws.source}/records.csv"
        code, said = paceline.run("data", "verify", file, "--conf", "paceline.s3.anonymous=true", AWS_ENDPOINT_URL=front.url)
    assert code == 0, said
    assert front.requests and front.signed() == []


def test_no_secret_is_logged(aws, paceline):
    with Front(aws.port) as front, Credentials([PAST, LATER]) as container:
        uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{container.url}/credentials"}
        code, said = paceline.count(aws, AWS_ENDPOINT_URL=front.url, PACELINE_LOG="debug", **uri)
    assert code == 0 and "hunter" not in said


def test_an_endpoint_that_is_no_url_is_named(aws, paceline):
    code, said = paceline.count(aws, **keys("somewhere"))
    assert code == 1 and "AWS_ENDPOINT_URL" in said and "'somewhere'" in said
