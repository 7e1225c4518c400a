"""What is written: encrypted as asked for, to buckets that are there or made."""

import pytest
from conftest import keys
from servers import Api, Front

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("kind, key", [("AES256", None), ("aws:kms", KEY)])
def test_everything_is_encrypted(aws, paceline, kind, key):
    settings = ["--conf", f"paceline.s3.sse={kind}"]
    settings += ["--conf", f"paceline.s3.sse.kms.key={key}"] if key else []
    with Api() as api:
        code, said = paceline.run(*paceline.job(aws, api.url, *settings), **keys(aws.url))
    assert code == 0, said
    aws.assert_exact()
    for name in aws.names():
        head = aws.s3.head_object(Bucket=aws.target, Key=f"enriched/{name}")
        assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == (kind, key), name


def test_two_layers_are_asked_for(aws, paceline):
    """The local AWS does not know them, so only what it is asked for is seen."""
    settings = ["--conf", "paceline.s3.sse=aws:kms:dsse", "--conf", f"paceline.s3.sse.kms.key={KEY}", "--conf", "paceline.checkpoint.enabled=false"]
    with Api() as api, Front(aws.port) as front:
        code, said = paceline.run(*paceline.job(aws, api.url, *settings), **keys(front.url))
    assert code == 1 and "aws:kms:dsse" in said
    written = [headers for method, path, headers in front.requests if method in ("POST", "PUT")]
    assert written and all(headers["x-amz-server-side-encryption"] == "aws:kms:dsse" for headers in written)


def test_a_key_without_kms_is_a_mistake(aws, paceline):
    file = f"s3://{aws.source}/records.csv"
    code, said = paceline.run("data", "verify", file, "--conf", f"paceline.s3.sse.kms.key={KEY}", **keys(aws.url))
    assert code == 1 and "paceline.s3.sse must be aws:kms" in said


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_bucket_is_created_where_there_is_none(aws, paceline, region):
    bucket = f"new-{region}-{aws.source}"[:63]
    generate = ["data", "generate", "--records", "10", "--out", f"s3://{bucket}/records.csv"]
    env = keys(aws.url) | {"AWS_REGION": region}
    code, said = paceline.run(*generate, **env)
    assert code == 1 and "NoSuchBucket" in said, said
    for created in (True, False):
        code, said = paceline.run(*generate, "--create-bucket", **env)
        assert code == 0 and ("was created" in said) == created, said
    where = aws.s3.get_bucket_location(Bucket=bucket)["LocationConstraint"]
    assert (where or "us-east-1") == region
    listed = aws.s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [file["Key"] for file in listed] == ["records.csv", "records.csv.paceline-generated"]


def test_another_region_is_named(aws, paceline):
    with Front(aws.port) as front:
        front.reply = lambda *_: (301, [("x-amz-bucket-region", "eu-west-1")], b"")
        code, said = paceline.count(aws, **keys(front.url))
    assert code == 1 and "region" in said and "paceline.s3.region" in said, said
