"""The API job: every record of a CSV file to an API, the answers beside it as Parquet, by everybody in turns."""

import contextlib
import dataclasses
import json
import pathlib
import shutil

from .contenders import SPARK, program
from .outputs import answers_of, faults
from .processes import MockApi, cluster, measured

EVERYBODY = ("paceline", "paceline-2", "pyspark", "asyncio")
COLUMNS = "id BIGINT, name STRING, email STRING, country STRING, amount DOUBLE, created_at TIMESTAMP"
ATTEMPTS = 8  # of one request, for everybody alike


@dataclasses.dataclass(frozen=True)
class Work:
    """What one run is given: the API, so many records, and where there is a cluster its address and process."""

    api: MockApi
    source: pathlib.Path
    count: int
    executors: tuple = None


@dataclasses.dataclass(frozen=True)
class ApiJob:
    """One scenario. `calls` is the limit in calls a second, None without one; `in_flight` requests are under way at once, by everybody
    alike where there is no limit, and at one by those that do not find the number themselves. In `fewer` are contenders that get fewer
    records, as they are too slow for all: their figures are rates."""

    name: str
    title: str
    records: int
    calls: int = None
    latency_ms: int = 0
    fail_percent: int = 0
    rows: int = 1
    in_flight: int = 64
    rounds: int = 5
    contenders: tuple = EVERYBODY
    fewer: tuple = ()
    warm: bool = True

    kind = "api"

    def run(self, field, work, rounds, say):
        """Runs of every contender that is there, round by round, by contender."""
        runs, folder = {contender: [] for contender in self.contenders}, work / "api"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fewer = dict(self.fewer)
        inputs = {count: records(field, work, count) for count in {self.records, *fewer.values()}}
        small = records(field, work, 1000)
        with contextlib.ExitStack() as stack:
            api = stack.enter_context(MockApi.started(field.paceline, folder, self.latency_ms, self.fail_percent))
            exact = stack.enter_context(MockApi.started(field.paceline, folder))
            executors = stack.enter_context(cluster(field.paceline, folder, 2)) if "paceline-2" in self.contenders else None
            answers = {count: answers_of(exact, path) for count, path in inputs.items()}
            # Warms up the API, the page cache, and what is compiled when it first runs.
            for contender in self.contenders if self.warm else ():
                self.once(field, folder, contender, Work(api, small, 1000, executors))
            api.received()
            for number in rounds:
                for contender in self.contenders:
                    count = fewer.get(contender, self.records)
                    figures = self.once(field, folder, contender, Work(api, inputs[count], count, executors))
                    arrived = api.received()
                    figures.update(requests=arrived["requests"], requests_per_s=arrived["requests_per_s"])
                    figures["worst_second"] = arrived["worst_period"]
                    figures["records_per_s"] = count / figures["wall_s"]
                    if contender != "bare":
                        figures.update(faults(folder / "enriched", answers[count]))
                    runs[contender].append(figures)
                    say(f"{contender}, round {number + 1}: {figures['wall_s']:.2f} s, {arrived['requests_per_s']:.0f} requests/s")
        shutil.rmtree(folder)
        return runs

    def once(self, field, folder, contender, work):
        api, source, count = work.api, work.source, work.count
        output, beside = folder / "enriched", ()
        shutil.rmtree(output, ignore_errors=True)
        if contender.startswith("paceline"):
            command = [field.paceline, "run", self.script(folder, source, output, api.url)]
            if contender != "paceline":
                address, pid = work.executors
                command += ["--cluster", address, "--conf", "paceline.partitions=8"]
                beside = (pid,)
        elif contender == "bare":
            command = [field.bare, api.url, count, self.rows, self.in_flight]
        else:
            options = {
                "endpoint": api.url,
                "rows_a_request": self.rows,
                "in_flight": self.in_flight,
                "calls_a_second": self.calls,
                "attempts": ATTEMPTS,
            }
            name = {"pyspark": "pyspark_job", "pyspark-udf": "pyspark_udf_job", "asyncio": "asyncio_job"}[contender]
            command = program(name, source, output, json.dumps(options))
        figures = measured(command, folder, beside=beside, env={**SPARK, "XDG_STATE_HOME": str(folder)})
        lines = figures.pop("lines")
        if contender == "bare":  # its bodies are made beforehand, and that does not count
            figures["wall_s"] = json.loads(lines[-1][1])["seconds"]
        return {key: figures[key] for key in ("wall_s", "cpu_s", "peak_bytes", "processes")} | {"records": count}

    def script(self, folder, source, output, endpoint):
        pace = f"rate_limit_calls '{self.calls}'" if self.calls else f"rate_limit_calls 'unlimited', max_in_flight '{self.in_flight}'"
        form = "" if self.rows == 1 else f", format 'array', batch_size '{self.rows}'"
        script = folder / "job.sql"
        script.write_text(
            f"CREATE TEMPORARY VIEW records ({COLUMNS}) USING csv OPTIONS (path '{source}', header 'true');\n"
            "CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>\n"
            f"USING API OPTIONS (endpoint '{endpoint}', {pace}{form}, retry_max_attempts '{ATTEMPTS}');\n"
            f"INSERT OVERWRITE DIRECTORY '{output}' USING parquet SELECT *, enrich(id, email) AS answer FROM records;\n",
            encoding="utf-8",
        )
        return script

    def problems(self, runs):
        """What is wrong with the answers, one line each; speed is no matter here."""
        for contender, of_contender in runs.items():
            for figures in of_contender:
                wrong = {key: figures[key] for key in ("lost", "doubled", "wrong") if figures.get(key)}
                if wrong:
                    yield f"{self.name}: {contender}: {wrong} of {figures['records']} records"


def records(field, work, count):
    """A CSV file of so many records; it is made once."""
    path = work / f"records-{count}.csv"
    if not path.exists():
        making = work / "records.making"
        command = [field.paceline, "data", "generate", "--records", count, "--out", making]
        measured(command, work)
        making.rename(path)
        making.with_name(f"{making.name}.paceline-generated").unlink()  # by which `data clean` knows a file
    return path


AT_5000 = {"calls": 5000, "latency_ms": 50, "in_flight": 1000}
FLAT = ("paceline", "bare", "paceline-2", "pyspark", "asyncio")
BATCHES = {"rows": 1000, "contenders": FLAT}


def scenarios():
    slow = (("pyspark-udf", 2000),)
    with_udf = (*EVERYBODY, "pyspark-udf")
    yield ApiJob("api-5000", "limit 5,000/s, latency 50 ms", 100_000, **AT_5000, contenders=with_udf, fewer=slow)
    yield ApiJob("api-flat", "no limit, one record a request", 100_000, contenders=(*FLAT, "pyspark-udf"), fewer=(("pyspark-udf", 10_000),))
    yield ApiJob("api-batch-1000", "no limit, batches of 1,000", 100_000, **BATCHES)
    yield ApiJob("api-batch-1000-million", "no limit, batches of 1,000", 1_000_000, **BATCHES)
    for rows in (500, 2000):
        yield ApiJob(f"api-batch-{rows}", f"no limit, batches of {rows:,}", 100_000, **{**BATCHES, "rows": rows})
    yield ApiJob("api-5000-slow", "limit 5,000/s, latency 500 ms", 100_000, **{**AT_5000, "latency_ms": 500, "in_flight": 5000})
    yield ApiJob("api-5000-faults", "limit 5,000/s, latency 50 ms, 5 % of replies are faults", 100_000, **AT_5000, fail_percent=5)
    yield ApiJob("api-flat-million", "no limit, one record a request", 1_000_000, contenders=FLAT, rounds=3)
    yield ApiJob("api-5000-million", "limit 5,000/s, latency 50 ms", 1_000_000, **AT_5000, rounds=3)


def quick():
    without_spark = ("paceline", "paceline-2", "asyncio")  # PySpark's start takes long, and the second scenario has it
    yield ApiJob("quick-api", "limit 2,000/s", 2_000, 2000, 5, in_flight=100, rounds=1, contenders=without_spark, warm=False)
    yield ApiJob("quick-batch", "no limit, batches of 500", 20_000, **{**BATCHES, "rows": 500}, rounds=1, warm=False)
