"""The classic job of the Python project, on the local AWS: its records, its arguments, and the check of its output."""

from dataclasses import dataclass

from environment import Aws, paceline


@dataclass
class ClassicJob:
    """A job over a CSV file in a bucket."""

    aws: Aws
    bucket: str
    api: str
    records: int

    def __post_init__(self):
        self.input, self.output = f"s3://{self.bucket}/in/records.csv", f"s3://{self.bucket}/output/records/"
        paceline("data", "generate", "--records", self.records, "--out", self.input, **self.aws.environment)

    def arguments(self, *more):
        """Those that Glue would give the script."""
        named = {"source_bucket": self.bucket, "source_key": "in/records.csv", "api_endpoint": self.api}
        return ["script.py", "--JOB_NAME", "classic", *(text for name in named for text in (f"--{name}", named[name])), *more]

    def verify(self):
        """Each record is there exactly once, with the API's answer; what the check says. Fails otherwise."""
        return paceline("data", "verify", self.input, self.output, **self.aws.environment)
