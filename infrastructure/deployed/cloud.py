"""A stack on a local AWS: synthesises it, and has the CDK's command line deploy, update and destroy it."""

import json
import os
import subprocess
import time
from pathlib import Path

import boto3

PACKAGE = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
ACCOUNT = "000000000000"

# What ministack's CloudFormation does not know, and what is not proven by that. Nothing else is taken out of a template.
UNKNOWN = {
    "AWS::Glue::SecurityConfiguration": "that Glue accepts the security configuration; the job keeps its name as a property",
}


def client(service, port):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{port}", **keys)


def synthesise(folder, props, stage):
    """Writes the cloud assembly of the app with these props and this stage, for the account and region of the local AWS."""
    program = [str(PACKAGE / "build" / "test" / "synthesise.js"), str(folder), json.dumps(props)]
    env = os.environ | {"AWS_ACCOUNT_ID": ACCOUNT, "AWS_REGION": REGION, "ENVIRONMENT": stage}
    done = subprocess.run(["node", *program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / f"SparkProcessingStack-{stage}.template.json").read_text())


def known(template):
    """The template without what ministack does not know; names that it would have given stay."""
    resources = template["Resources"]
    gone = {logical: each for logical, each in resources.items() if each["Type"] in UNKNOWN}
    names = {logical: each["Properties"]["Name"] for logical, each in gone.items()}

    def filtered(value):
        if isinstance(value, dict):
            if set(value) == {"Ref"} and value["Ref"] in names:
                return names[value["Ref"]]
            return {key: filtered(each) for key, each in value.items()}
        return [filtered(each) for each in value] if isinstance(value, list) else value

    return template | {"Resources": {logical: filtered(each) for logical, each in resources.items() if logical not in gone}}


def cdk(port, home, *arguments):
    """Runs the CDK's command line against the local AWS, and nothing of it anywhere else."""
    env = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "HTTP", "ALL_P"))}
    env |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    env |= {"AWS_REGION": REGION, "HOME": str(home), "CI": "1", "CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "true"}
    program = [str(PACKAGE / "node_modules" / ".bin" / "cdk"), "--no-notices", *arguments]
    done = subprocess.run(program, env=env, cwd=home, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Cloud:
    """A stack on the local AWS, named after a stage of its own."""

    def __init__(self, port, folder, props):
        self.port = port
        self.folder = folder
        self.props = props
        self.job = props["glueJobName"]
        self.stack = f"SparkProcessingStack-{self.job}"
        self.cloudformation = client("cloudformation", port)

    def client(self, service):
        return client(service, self.port)

    def _assembly(self, name, changes):
        folder = self.folder / name
        template = folder / f"{self.stack}.template.json"
        template.write_text(json.dumps(known(synthesise(folder, self.props | changes, self.job))))
        return str(folder)

    def deploy(self, changes=None):
        """Deploys the stack, or updates it with changes of props."""
        name = "updated" if changes else "deployed"
        cdk(self.port, self.folder, "deploy", "--app", self._assembly(name, changes or {}), "--require-approval", "never", "--method", "direct")
        return self

    def destroy(self):
        cdk(self.port, self.folder, "destroy", "--app", str(self.folder / "deployed"), "--force")

    def run(self, arguments):
        """Starts the job with these arguments and returns the run when it has ended."""
        glue = self.client("glue")
        run = glue.start_job_run(JobName=self.job, Arguments=arguments)["JobRunId"]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            state = glue.get_job_run(JobName=self.job, RunId=run)["JobRun"]
            if state["JobRunState"] not in ("STARTING", "RUNNING"):
                return state
            time.sleep(0.2)
        raise AssertionError(f"the run has not ended: {state}")

    def resources(self, kind):
        """Physical names of the stack's resources of a type, by logical name."""
        listed = self.cloudformation.describe_stack_resources(StackName=self.stack)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed if each["ResourceType"] == kind}

    def resource(self, kind, word):
        """The one whose logical name has this word in it."""
        (found,) = [name for logical, name in self.resources(kind).items() if word in logical]
        return found

