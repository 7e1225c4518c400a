"""A local AWS (ministack), an API, the binary, and stacks deployed for tests."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cloud import ACCOUNT, REGION, Cloud, cdk
from wheel import wheel

BINARY = os.environ["PACELINE"]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "aws"))

from local_aws import local_aws  # noqa: E402


@pytest.fixture(scope="session")
def port(tmp_path_factory):
    """The port of ministack. The `python3` that it finds plays the host of Glue's Python shell jobs."""
    folder = tmp_path_factory.mktemp("ministack")
    (folder / "bin").mkdir()
    (folder / "tmp").mkdir()
    python = folder / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(HERE / "host.py"))} "$@"\n')
    python.chmod(0o755)
    # Jobs have the wheel's program and no other, whatever is set here.
    not_theirs = ("AWS_", "HTTP", "ALL_P", "PACELINE", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(not_theirs)}
    own = {
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    with local_aws(lambda port: kept | own | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}) as port:
        yield port


@pytest.fixture(scope="session")
def api():
    """The URL of an API with answers that `paceline data verify` knows."""
    server = subprocess.Popen([BINARY, "mock-api", "--port", "0", "--latency-ms", "5"], stderr=subprocess.PIPE, text=True)
    line = server.stderr.readline()
    yield next(word.rstrip(";") for word in line.split() if word.startswith("http"))
    server.kill()
    server.wait()


@pytest.fixture(scope="session")
def wheel_path(tmp_path_factory):
    return wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def bootstrapped(port, tmp_path_factory):
    """The port of the local AWS, made ready by `cdk bootstrap`."""
    cdk(port, tmp_path_factory.mktemp("bootstrap"), "bootstrap", f"aws://{ACCOUNT}/{REGION}")
    return port


@pytest.fixture(scope="module")
def deploy(bootstrapped, wheel_path, tmp_path_factory):
    """Deploys a stack of this name, with the props of these tests and others."""

    def deployed(name, **props):
        mine = {"bucketName": f"{name}-data", "glueJobName": name, "host": "python-shell", "wheelPath": str(wheel_path)}
        mine["monitoring"] = {"dashboardName": f"{name}-metrics"}
        mine["glueJob"] = {"securityConfiguration": f"{name}-security"}
        return Cloud(bootstrapped, tmp_path_factory.mktemp(name), mine | props).deploy()

    return deployed


@pytest.fixture(scope="session")
def paceline(port, tmp_path_factory):
    """Runs the binary against the local AWS."""
    home = tmp_path_factory.mktemp("home")
    env = os.environ | {"HOME": str(home), "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_REGION": REGION}
    env |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def run(*arguments):
        done = subprocess.run([BINARY, *arguments], env=env, cwd=home, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


class Inbox:
    """What reaches a topic, through a queue that subscribes to it."""

    def __init__(self, stack, topic):
        self.sqs = stack.client("sqs")
        self.url = self.sqs.create_queue(QueueName=f"{stack.job}-inbox")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def receive(self, word):
        """The first message with this word in its subject; fails when there is none within a minute."""
        seen = []
        for _ in range(6):
            for message in self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=10, MaxNumberOfMessages=10).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                said = json.loads(message["Body"])
                if word in said["Subject"]:
                    return said
                seen.append(said["Subject"])
        pytest.fail(f"nothing about {word} has come, but {seen}")
