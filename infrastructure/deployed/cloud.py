"""A stack on a local AWS: synthesises it, uploads its assets, and takes its template through CloudFormation."""

import io
import json
import os
import subprocess
import time
import zipfile
from pathlib import Path

import boto3

PACKAGE = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
ACCOUNT = "000000000000"
TEMPLATE = "SparkProcessingStack.template.json"

# What ministack's CloudFormation does not know, and what is not proven by that. Nothing else is taken out of a template.
UNKNOWN = {
    "AWS::Glue::SecurityConfiguration": "that Glue accepts the security configuration; the job keeps its name as a property",
}


def client(service, port):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{port}", **keys)


def synthesise(folder, props):
    """Writes the cloud assembly of the app with these props, for the account and region of the local AWS."""
    program = [str(PACKAGE / "build" / "test" / "synthesise.js"), str(folder), json.dumps(props)]
    env = os.environ | {"AWS_ACCOUNT_ID": ACCOUNT, "AWS_REGION": REGION, "ENVIRONMENT": "development"}
    done = subprocess.run(["node", *program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / TEMPLATE).read_text())


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


class Cloud:
    """The local AWS with one stack on it."""

    def __init__(self, port, folder, props):
        self.port = port
        self.folder = folder
        self.props = props
        self.stack = props["glueJobName"]
        self.cloudformation = client("cloudformation", port)

    def client(self, service):
        return client(service, self.port)

    def _template(self, name, changes):
        folder = self.folder / name
        template = known(synthesise(folder, self.props | changes))
        self._upload(folder)
        return json.dumps(template)

    def _upload(self, folder):
        """Does what `cdk deploy` does before: files of the asset manifest go to the bucket of the bootstrap."""
        s3 = self.client("s3")
        manifest = json.loads((folder / TEMPLATE.replace("template", "assets")).read_text())
        for file in manifest["files"].values():
            source = folder / file["source"]["path"]
            body = zipped(source) if file["source"]["packaging"] == "zip" else source.read_bytes()
            for destination in file["destinations"].values():
                bucket = destination["bucketName"]
                s3.create_bucket(Bucket=bucket)
                s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=body)
        # The template asks which version of the bootstrap there is.
        self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True)

    def deploy(self):
        body = self._template("deployed", {})
        self.cloudformation.create_stack(StackName=self.stack, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        self._await("stack_create_complete")
        return self

    def update(self, changes):
        body = self._template("updated", changes)
        self.cloudformation.update_stack(StackName=self.stack, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        self._await("stack_update_complete")

    def destroy(self):
        self.cloudformation.delete_stack(StackName=self.stack)
        self._await("stack_delete_complete")

    def _await(self, state):
        waiter = self.cloudformation.get_waiter(state)
        try:
            waiter.wait(StackName=self.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        except Exception as error:
            events = self.cloudformation.describe_stack_events(StackName=self.stack)["StackEvents"]
            failed = [f"{each['LogicalResourceId']}: {each['ResourceStatusReason']}" for each in events if "FAILED" in each["ResourceStatus"]]
            raise AssertionError("\n".join(failed)) from error

    def run(self, arguments):
        """Starts the job with these arguments and returns the run when it has ended."""
        glue = self.client("glue")
        run = glue.start_job_run(JobName=self.stack, Arguments=arguments)["JobRunId"]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            state = glue.get_job_run(JobName=self.stack, RunId=run)["JobRun"]
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


def zipped(folder):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return content.getvalue()
