"""What Paceline is meant to reach beside others, and what was measured of it."""

import dataclasses

from .figures import median, ratios
from .results import column


@dataclasses.dataclass(frozen=True)
class Target:
    """A figure of a scenario: `contender`'s `figure` ÷ Paceline's, or the other way round where more is better or it is to be small."""

    work: str
    against: str
    contender: str
    scenario: str
    says: str
    figure: str
    bound: float
    at_most: bool = False
    more_is_better: bool = False
    of: float = None  # a target that is a share of this, where it is no ratio to the contender

    def measured(self, document):
        """The median over the rounds; nothing where one of the two was not measured."""
        scenario = document["scenarios"].get(self.scenario)
        if not scenario:
            return None
        if self.of:
            return self.share(document, "paceline")
        ours = column(scenario, "paceline", self.figure)
        theirs = column(scenario, self.contender, self.figure)
        pairs = ratios(ours, theirs) if self.more_is_better or self.at_most else ratios(theirs, ours)
        return median(pairs) if pairs else None

    def share(self, document, contender):
        """Of a target that is no ratio: what a contender reached, by its median."""
        values = column(document["scenarios"][self.scenario], contender, self.figure)
        return median(values) / self.of if values else None

    def met(self, value):
        return value <= self.bound if self.at_most else value >= self.bound


AIOHTTP = ("PySpark (aiohttp)", "pyspark")
SPARK = ("PySpark 3.5.4", "pyspark")
LIMIT, RECEIVED = ("the limit", "pyspark"), "share of it at the receiver"
FLAT, BATCH = "API job flat out, one per request", "API job, batches of 1,000"
TPCH = "TPC-H at scale 1"
MORE, LESS = {"more_is_better": True}, {"at_most": True}


TARGETS = (
    Target(FLAT, *AIOHTTP, "api-flat", "requests/s", "requests_per_s", 3, **MORE),
    Target(FLAT, *AIOHTTP, "api-flat", "CPU seconds", "cpu_s", 1 / 5, **LESS),
    Target(FLAT, *AIOHTTP, "api-flat", "peak memory", "peak_bytes", 1 / 5, **LESS),
    Target(f"{FLAT}, 1,000,000 records", *AIOHTTP, "api-flat-million", "requests/s", "requests_per_s", 3, **MORE),
    Target(f"{FLAT}, 1,000,000 records", *AIOHTTP, "api-flat-million", "CPU seconds", "cpu_s", 1 / 5, **LESS),
    Target(f"{FLAT}, 1,000,000 records", *AIOHTTP, "api-flat-million", "peak memory", "peak_bytes", 1 / 5, **LESS),
    Target("API job at 5,000/s", *LIMIT, "api-5000", RECEIVED, "requests_per_s", 0.98, of=5000),
    Target("API job at 5,000/s, 500 ms", *LIMIT, "api-5000-slow", RECEIVED, "requests_per_s", 0.98, of=5000),
    Target(f"{BATCH}, 100,000 records", *AIOHTTP, "api-batch-1000", "wall time, whole processes", "wall_s", 8),
    Target(f"{BATCH}, 1,000,000 records", *AIOHTTP, "api-batch-1000-million", "wall time, whole processes", "wall_s", 8),
    Target(f"{BATCH}, 1,000,000 records", *AIOHTTP, "api-batch-1000-million", "requests/s", "requests_per_s", 8, **MORE),
    Target(FLAT, "bare reqwest loop", "bare", "api-flat", "records/s", "records_per_s", 0.7, **MORE),
    Target(TPCH, *SPARK, "tpch-1", "total", "total_s", 8),
    Target(TPCH, *SPARK, "tpch-1", "peak memory", "peak_bytes", 1 / 4, **LESS),
    Target(TPCH, "Sail", "sail", "tpch-1", "total", "total_s", 1.1),
    Target(TPCH, "DataFusion", "datafusion", "tpch-1", "total", "total_s", 0.95),
    Target("cold start to first request", *AIOHTTP, "start-request", "seconds", "seconds", 20),
)
