"""What a Glue job was told, by its arguments: the Python job's own, and those of Paceline. Decides nothing but their form."""

import os
import re
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from paceline.glue.arguments import GlueArgumentError, get_resolved_options, is_given, split_chain

__all__ = ["CLASSIC", "PACELINE", "Options"]

# Arguments of the classic job, each with the flag of `paceline enrich` that has its meaning and default.
CLASSIC = {
    "source_bucket": "s3-bucket",
    "source_key": "s3-key",
    "api_endpoint": "api-endpoint",
    "batch_size": "batch-size",
    "max_workers": "max-workers",
    "rate_limit_calls": "rate-limit-calls",
    "rate_limit_period": "rate-limit-period",
    "chunk_size": "chunk-size",
    "log_level": "log-level",
    "output": "s3-output",
    "api_format": "api-format",
    "returns": "returns",
}
# Without these there is no classic job; the environment may have them too, under the names of `.env`.
REQUIRED = {"source_bucket": "S3_BUCKET", "source_key": "S3_KEY", "api_endpoint": "API_ENDPOINT"}

# Paceline's own arguments, with what they mean.
PACELINE = {
    "paceline-job": "file with SQL statements, in the job's folder or on S3, in place of the classic job",
    "paceline-var": "KEY=VALUE for ${KEY} in the statements; several with --paceline-var between",
    "paceline-conf": "KEY=VALUE, a setting of `paceline config`; several with --paceline-conf between",
    "paceline-job-id": "name of this run, by which it is resumed (default: the run id that Glue gives)",
    "paceline-checkpoint": "folder on S3 for checkpoints of --paceline-job (default: paceline/ in --TempDir)",
    "paceline-report": "local file that the report is written to, as JSON",
    "paceline-workers": "driver (default): the job runs on the driver alone; spark: on all of Glue's workers",
    "paceline-worker-type": "Glue's worker type, as G.1X (default: as Glue tells)",
    "paceline-number-of-workers": "Glue's number of workers, the driver's included (default: as Glue tells)",
}
WORKERS = ("driver", "spark")
# Glue appends this to the id of a run that it tries again.
ATTEMPT = re.compile(r"_attempt_(\d+)$")
JOB_ID = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}(?<!\.redrive)$")


@dataclass(frozen=True)
class Options:
    """The arguments of a job, read and checked."""

    job_name: Optional[str] = None
    # The same on every attempt of a run.
    job_id: Optional[str] = None
    # 0 where Glue runs the job for the first time.
    attempt: int = 0
    run_id: Optional[str] = None
    classic: Dict[str, str] = field(default_factory=dict)
    metrics_namespace: Optional[str] = None
    script: Optional[str] = None
    variables: Tuple[str, ...] = ()
    conf: Tuple[str, ...] = ()
    checkpoint: Optional[str] = None
    report: Optional[str] = None
    workers: str = "driver"
    worker_type: Optional[str] = None
    number_of_workers: Optional[int] = None

    @classmethod
    def read(cls, argv: Sequence[str], environment: Mapping[str, str] = os.environ) -> "Options":
        """Reads `argv`, which begins with the name of the program. Raises GlueArgumentError."""
        argv = _with_hyphens(argv)
        classic = [] if is_given(argv, "paceline-job") else [name for name in REQUIRED if not environment.get(REQUIRED[name])]
        optional = [*CLASSIC, *PACELINE, "JOB_NAME", "metrics_namespace"]
        values = get_resolved_options(argv, classic + [name for name in optional if is_given(argv, name)])

        def given(name):
            return values.get(name.replace("-", "_"))

        run_id = given("JOB_RUN_ID")
        attempt = ATTEMPT.search(run_id or "")
        job_id = given("paceline-job-id") or (ATTEMPT.sub("", run_id) if run_id else None)
        if job_id is not None and not JOB_ID.match(job_id):
            raise GlueArgumentError(
                f"argument --paceline-job-id: '{job_id}' cannot be a job id; it takes 1 to 128 letters, digits, '-', '_' and '.'"
            )
        script = given("paceline-job")
        flags = {name: given(name) for name in CLASSIC if given(name) is not None}
        if script and flags:
            raise GlueArgumentError(f"argument --paceline-job: not allowed with argument --{next(iter(flags))}")
        checkpoint = given("paceline-checkpoint")
        if checkpoint is None and given("TempDir"):
            checkpoint = given("TempDir").rstrip("/") + "/paceline/"
        return cls(
            job_name=given("JOB_NAME"),
            job_id=job_id,
            attempt=int(attempt.group(1)) if attempt else 0,
            run_id=run_id,
            classic=flags,
            metrics_namespace=given("metrics_namespace"),
            script=script,
            variables=_chain(given, "paceline-var"),
            conf=_chain(given, "paceline-conf"),
            checkpoint=checkpoint,
            report=given("paceline-report"),
            workers=_one_of("paceline-workers", given("paceline-workers") or "driver", WORKERS),
            worker_type=given("paceline-worker-type"),
            number_of_workers=_count("paceline-number-of-workers", given("paceline-number-of-workers")),
        )


def _with_hyphens(argv: Sequence[str]) -> List[str]:
    """Paceline's own arguments may be written with underscores, as Glue's users write theirs."""

    def spelled(text):
        name, equals, value = text.partition("=")
        hyphens = name.replace("_", "-")
        return hyphens + equals + value if hyphens.startswith("--") and hyphens[2:] in PACELINE else text

    return [spelled(text) for text in argv]


def _chain(given, name):
    text = given(name)
    if text is None:
        return ()
    # Within a chain the name may have underscores as well.
    return tuple(split_chain(name, text.replace(f"--{name.replace('-', '_')} ", f"--{name} ")))


def _one_of(name, text, choices):
    if text not in choices:
        raise GlueArgumentError(f"argument --{name}: invalid choice: '{text}' (choose from {', '.join(choices)})")
    return text


def _count(name, text):
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise GlueArgumentError(f"argument --{name}: expected a whole number above zero, not '{text}'")
    return int(text)
