"""A local AWS (ministack) for all tests, and the binary as a user runs it."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest
from local_aws import local_aws, with_services

sys.path.append(str(Path(__file__).parents[1] / "service"))
from cluster import Cluster

BINARY = os.environ["PACELINE"]
RECORDS = 50


class Aws:
    """S3 on a port, and two buckets that no other test has."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.s3 = self.client("s3")
        name = uuid.uuid4().hex
        self.source, self.target = f"in-{name}", f"out-{name}"
        for bucket in (self.source, self.target):
            self.s3.create_bucket(Bucket=bucket)
        ids = "".join(f"{id}\n" for id in range(1, RECORDS + 1))
        self.s3.put_object(Bucket=self.source, Key="records.csv", Body=f"id\n{ids}".encode())

    def client(self, service):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=self.url, **keys)

    def names(self):
        """Every object of the output, without the folder."""
        listed = self.s3.list_objects_v2(Bucket=self.target).get("Contents", [])
        return sorted(file["Key"].removeprefix("enriched/") for file in listed)

    def uploads(self):
        return self.s3.list_multipart_uploads(Bucket=self.target).get("Uploads", [])

    def rows(self, folder=""):
        """The rows of the output's files of rows, or of those in a folder of it."""
        files = [name for name in self.names() if name.startswith(folder + "part-") and name.endswith(".json")]
        bodies = [self.s3.get_object(Bucket=self.target, Key=f"enriched/{name}")["Body"].read() for name in files]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def assert_exact(self):
        """Each record is there once: as an answer, or, each tenth, as a dead letter. Nothing else is there."""
        answers = sorted((row["id"], row["score"]) for row in self.rows())
        assert answers == [(id, id / 2) for id in range(1, RECORDS + 1) if id % 10]
        assert len(self.rows("_dead_letter/")) == RECORDS // 10
        others = [name for name in self.names() if not name.split("/")[-1].startswith("part-")]
        assert others == ["_SUCCESS", "_paceline/commit.json"] and "part-old.json" not in self.names()
        assert self.uploads() == []


@pytest.fixture(scope="session")
def port():
    with local_aws(lambda _: with_services("s3,sts,secretsmanager,cloudwatch,logs,sns,sqs")) as port:
        yield port


@pytest.fixture
def aws(port):
    return Aws(port)


class Paceline:
    """Runs the binary in an environment that says nothing of AWS but what a test says."""

    def __init__(self, folder):
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "HTTP", "ALL_P"))}
        # Nobody's own profile, and no instance: a test that wants them says so.
        self.env = kept | {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "",
        }

    def start(self, *arguments, **env):
        env = {name: str(value) for name, value in (self.env | env).items()}
        pipe = subprocess.PIPE
        return subprocess.Popen([BINARY, *arguments], cwd=self.folder, env=env, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments, **env):
        """The exit code and what was said."""
        code, _, said = self.run_and_read(*arguments, **env)
        return code, said

    def run_and_read(self, *arguments, **env):
        """The exit code, the output and what was said."""
        process = self.start(*arguments, **env)
        output, said = process.communicate(timeout=60)
        return process.returncode, output, said

    def job(self, aws, api, *arguments):
        """Writes the job and returns the arguments that run it."""
        (self.folder / "job.sql").write_text(f"""
            CREATE TEMPORARY VIEW records USING csv
              OPTIONS (path 's3://{aws.source}/records.csv', header 'true', inferSchema 'true');
            CREATE TEMPORARY FUNCTION enrich(id BIGINT) RETURNS STRUCT<score: DOUBLE>
              USING API OPTIONS (endpoint '{api}', rate_limit_calls 'unlimited', max_in_flight '4');
            INSERT OVERWRITE DIRECTORY 's3://{aws.target}/enriched' USING json
              SELECT id, enrich(id).score AS score FROM records;""")
        return ["run", "job.sql", *arguments]

    def local(self, rows, function, *arguments, columns="id BIGINT", select="id, f(id) AS answer", first=""):
        """Writes a job over rows of a local file, with a function and statements before it, and returns the arguments."""
        names = [column.split()[0] for column in columns.split(", ")]
        lines = [",".join(names), *(str(row) for row in rows)]
        (self.folder / "records.csv").write_text("".join(f"{line}\n" for line in lines))
        (self.folder / "job.sql").write_text(f"""
            CREATE TEMPORARY VIEW records ({columns}) USING csv OPTIONS (path 'records.csv', header 'true');
            CREATE TEMPORARY FUNCTION {function};
            {first}
            INSERT OVERWRITE DIRECTORY 'out' USING json SELECT {select} FROM records;""")
        return ["run", "job.sql", "--conf", "paceline.partitions=1", "--report", "report.json", *arguments]

    def answers(self):
        """The rows that a local job has written."""
        return read_lines(self.folder / "out")

    def dead_letters(self):
        return read_lines(self.folder / "out" / "_dead_letter")

    def report(self):
        return json.loads((self.folder / "report.json").read_text())

    def count(self, aws, **env):
        """Counts the records on S3: the shortest trip there."""
        return self.run("data", "verify", f"s3://{aws.source}/records.csv", **env)


def read_lines(folder):
    return [json.loads(line) for file in sorted(folder.glob("part-*.json")) for line in file.read_text().splitlines()]


@pytest.fixture
def paceline(tmp_path):
    return Paceline(tmp_path)


class OnAws(Cluster):
    """A scheduler and two executors of two slots each, which reach the local AWS."""

    def __init__(self, paceline, aws):
        self.reached = paceline.env | keys(aws.url)
        super().__init__(paceline.folder, executors=2)

    def begin(self, confs, executors):
        self.env = self.reached
        super().begin(confs, executors)

    def flags(self):
        """What a job is told that runs there."""
        return ["--cluster", f"df://{self.scheduler.says('scheduler')}"]


@pytest.fixture
def cluster(aws, paceline):
    cluster = OnAws(paceline, aws)
    yield cluster
    cluster.end()


def keys(url):
    """The variables that reach S3 at a URL with keys in the environment."""
    return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
