"""Plays the machine of a Glue Python shell job, for ministack, which only starts `python3 SCRIPT`.

Installs the modules that the job names, with pip and by the names of their files, and runs the script with the run's arguments,
as Glue does. Where the script is none of a Glue job it is plain Python.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

ENDPOINT = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def run_of(script):
    """The arguments of the run that is under way with this script."""
    glue = boto3.client("glue")
    for job in glue.get_jobs()["Jobs"]:
        if job["Command"]["ScriptLocation"].rsplit("/", 1)[-1] == script.name:
            for run in glue.get_job_runs(JobName=job["Name"])["JobRuns"]:
                if run["JobRunState"] == "RUNNING":
                    return run["Arguments"]
    sys.exit(f"no job with the script {script.name} is running")


def install(modules, folder):
    for module in modules.split(","):
        bucket, key = module.removeprefix("s3://").split("/", 1)
        wheel = folder / key.rsplit("/", 1)[-1]
        boto3.client("s3").download_file(bucket, key, str(wheel))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(folder / "site"), str(wheel)]
        subprocess.run(pip, check=True)


def main():
    script = Path(sys.argv[1])
    os.environ |= {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    arguments = run_of(script)
    for name in arguments:
        os.environ.pop(name.lstrip("-"), None)  # ministack hands them over in the environment; Glue does not.
    with tempfile.TemporaryDirectory() as folder:
        install(arguments["--additional-python-modules"], Path(folder))
        os.environ["PYTHONPATH"] = f"{folder}/site"
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        argv = [part for pair in arguments.items() for part in pair]
        return subprocess.run([sys.executable, str(script), *argv], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
