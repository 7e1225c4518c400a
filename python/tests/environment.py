"""What the tests use: S3 with buckets that do not outlive a test, the mock API, and the program."""

import json
import os
import re
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from paceline.glue import binary

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
# A program that does not end in so many seconds hangs, also on a machine that does much else.
ENDS_WITHIN = 240
# The variable by which all processes of a test are known, their children's children too.
MARK = "PACELINE_TEST_MARK"


class Aws:
    """An AWS at a URL."""

    def __init__(self, url):
        self.url = url
        # Where a person has credentials for this S3, they are taken.
        given = {name: os.environ[name] for name in (*KEYS, "AWS_SESSION_TOKEN") if name in os.environ}
        self.environment = dict(given if "AWS_ACCESS_KEY_ID" in given else KEYS)
        self.environment.update(AWS_ENDPOINT_URL=url, AWS_EC2_METADATA_DISABLED="true")
        self.environment.setdefault("AWS_REGION", "us-east-1")
        self.environment["AWS_DEFAULT_REGION"] = self.environment["AWS_REGION"]
        self.s3 = self.client("s3")

    def client(self, service):
        """A client of boto3."""
        import boto3

        keys = {name: self.environment.get(name.upper()) for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")}
        return boto3.client(service, endpoint_url=self.url, region_name=self.environment["AWS_REGION"], **keys)

    @contextmanager
    def bucket(self):
        """A bucket that is removed with all that is in it, also when what is done with it fails."""
        name = f"paceline-test-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=name)
        try:
            yield name
        finally:
            self.remove(name)

    def names(self, bucket, prefix=""):
        """All objects."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [file["Key"] for page in pages for file in page.get("Contents", [])]

    def remove(self, bucket):
        """Removes a bucket, its objects and what was being uploaded."""
        for name in self.names(bucket):
            self.s3.delete_object(Bucket=bucket, Key=name)
        for upload in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            self.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        self.s3.delete_bucket(Bucket=bucket)


@contextmanager
def mock_api(*flags):
    """The URL of `paceline mock-api` on a free port, which ends with the block."""
    command = [binary.find(), "mock-api", "--port", "0", *flags]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = process.stdout.readline()
        yield re.search(r"http://[^ ;]+", said).group()
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def cluster(folder, program=None):
    """The URL of a cluster of two executors on this machine, of processes of `program`, which ends with the block."""
    command = [*(program or [binary.find()]), "cluster", "--number-of-workers", "3", "--port", "0", "--ui-port", "0", "--flight-port", "0"]
    command += ["--state-dir", folder / "state", "--work-dir", folder, "--log-dir", folder / "logs"]
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            found = re.match(r"cluster at (df://\S+?)[.,;]?\s", line)
            if found:
                break
        else:
            raise AssertionError("the cluster does not start: " + "".join(said))
        Thread(target=process.stderr.read, daemon=True).start()
        yield found[1]
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN)


def stats(api):
    """What has arrived at the mock API."""
    from urllib.request import urlopen

    with urlopen(api.rsplit("/", 1)[0] + "/stats") as reply:
        return json.load(reply)


def paceline(*arguments, **environment):
    """Runs the program; it must succeed. Returns what it printed, on both streams."""
    env = {**os.environ, **environment}
    done = subprocess.run(
        [binary.find(), *map(str, arguments)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=ENDS_WITHIN
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def running(mark, name=""):
    """The processes with this mark in their environment and `name` in their command line, by id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or is another user's
            pass
    return {id: line for id, line in found.items() if name in line}


def wait_for(condition, what, within=120):
    """Waits until a condition holds, and returns what it is."""
    deadline = time.monotonic() + within
    while not (is_so := condition()):
        assert time.monotonic() < deadline, f"{what} did not come in {within} s"
        time.sleep(0.05)
    return is_so
