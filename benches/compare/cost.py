"""What a job costs on AWS Glue, from measured rates, with the arithmetic shown."""

import math

from .figures import median, short
from .results import column

PRICE = 0.44  # dollars a DPU-hour, for Spark jobs of Glue 3 and later in us-east-1; others differ
RECORDS = 1_000_000
LIMIT = 5000  # calls a second
VCPUS = 4  # of a worker G.1X, which is one DPU
DRIVER = 1  # Glue gives the driver a worker of its own


def rows(document):
    """For whoever was measured at the limit: name, requests/s here, workers, seconds, DPU-seconds, dollars."""
    scenario = document["scenarios"].get("api-5000")
    if not scenario:
        return
    cores = scenario["about"]["cores"]
    for contender in ("paceline", "pyspark"):
        rates = column(scenario, contender, "requests_per_s")
        if not rates:
            continue
        rate = median(rates)
        # A worker has VCPUS where this machine has `cores`; a rate below the limit is taken to grow with them.
        a_worker = min(LIMIT, rate * max(1, VCPUS / cores)) if rate < 0.95 * LIMIT else rate
        fewest = DRIVER + 1
        enough = DRIVER + math.ceil(0.95 * LIMIT / a_worker)
        for workers in sorted({fewest, enough}):
            together = min(LIMIT, a_worker * (workers - DRIVER))
            seconds = RECORDS / together
            yield contender, rate, a_worker, workers, seconds, workers * seconds, workers * seconds * PRICE / 3600


def arithmetic(document):
    lines = [
        "| contender | requests/s here | a worker | workers | seconds: 1,000,000 ÷ rate | DPU-seconds: workers × seconds | dollars |",
        "|---|---|---|---|---|---|---|",
    ]
    found = list(rows(document))
    for contender, rate, a_worker, workers, seconds, dpu, dollars in found:
        name = {"paceline": "Paceline", "pyspark": "PySpark (aiohttp)"}[contender]
        lines.append(f"| {name} | {short(rate)} | {short(a_worker)} | {workers} | {short(seconds)} | {short(dpu)} | {dollars:.3f} |")
    return lines if found else []
