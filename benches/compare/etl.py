"""ETL: the same Spark SQL over ten million records by Paceline, PySpark and Sail, each statement timed."""

import dataclasses
import shutil

from .api_job import COLUMNS, records
from .statements import carried_out, judge, problems

WRITES = "csv to parquet"
STEPS = {
    WRITES: """
        INSERT OVERWRITE DIRECTORY '{out}' USING parquet
        SELECT *, to_json(named_struct('id', id, 'country', country, 'amount', amount)) AS payload FROM records""",
    "wide aggregation": """
        SELECT country, year(created_at) AS y, month(created_at) AS m, count(*), count(email), sum(amount), avg(amount),
          min(amount), max(amount), stddev(amount), variance(amount), min(name), max(name), min(email), max(email),
          min(created_at), max(created_at), count(DISTINCT id % 1000), sum(CASE WHEN amount > 5000 THEN 1 ELSE 0 END), sum(length(name))
        FROM enriched GROUP BY country, year(created_at), month(created_at)""",
    "join with skew": """
        SELECT count(*), sum(s.amount), max(d.name)
        FROM (SELECT CASE WHEN id % 10 < 9 THEN 1 ELSE id % 100000 END AS k, amount FROM enriched) s
          JOIN (SELECT id AS k, name FROM enriched WHERE id <= 100000) d ON s.k = d.k""",
    "window": """
        SELECT sum(n), max(n), sum(moving)
        FROM (SELECT row_number() OVER (PARTITION BY country ORDER BY amount, id) AS n,
            avg(amount) OVER (PARTITION BY country ORDER BY created_at, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS moving
          FROM enriched)""",
    "json": """
        SELECT count(j.id), sum(j.amount), count(DISTINCT j.country), sum(CASE WHEN j.country = c THEN 1 ELSE 0 END)
        FROM (SELECT from_json(payload, 'id BIGINT, country STRING, amount DOUBLE') AS j, get_json_object(payload, '$.country') AS c
          FROM enriched)""",
}


@dataclasses.dataclass(frozen=True)
class Etl:
    """One scenario."""

    name: str
    title: str
    records: int
    rounds: int = 3
    contenders: tuple = ("paceline", "pyspark", "sail")

    kind = "etl"

    def run(self, field, work, rounds, say):
        folder, source = work / "etl", records(field, work, self.records)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with source.open("rb") as file:  # into the page cache: the first to read it would wait for the disk on behalf of all
            while file.read(1 << 24):
                pass
        runs, steps = {contender: [] for contender in self.contenders}, {}
        for number in rounds:
            for contender in self.contenders:
                figures, ready, answers = carried_out(field, folder, contender, {}, self.statements(source, folder / "enriched"))
                steps[contender] = [answer for answer in answers if answer["name"] in STEPS]
                seconds = {step["name"]: round(step["seconds"], 4) for step in steps[contender] if not step["error"]}
                total = sum(seconds.values()) if len(seconds) == len(STEPS) else None  # that of fewer steps is another job's
                taken = {key: figures[key] for key in ("wall_s", "cpu_s", "peak_bytes", "processes")}
                runs[contender].append({"steps": seconds, "total_s": total, "ready_s": ready, **taken})
                shutil.rmtree(folder / "enriched", ignore_errors=True)
                say(f"{contender}, round {number + 1}: {seconds}")
            judge(runs, steps, unread=(WRITES,))  # the steps after it read what it wrote
        shutil.rmtree(folder)
        return runs

    def statements(self, source, out):
        return [
            ("records", f"CREATE TEMPORARY VIEW records ({COLUMNS}) USING csv OPTIONS (path '{source}', header 'true')"),
            (WRITES, STEPS[WRITES].format(out=out)),
            ("enriched", f"CREATE TEMPORARY VIEW enriched USING parquet OPTIONS (path '{out}')"),
            *((name, text) for name, text in STEPS.items() if name != WRITES),
        ]

    def problems(self, runs):
        return problems(self.name, runs)


def scenarios():
    yield Etl("etl", "ETL, 10,000,000 records", 10_000_000)


def quick():
    yield Etl("quick-etl", "ETL, 20,000 records", 20_000, rounds=1, contenders=("paceline", "pyspark"))
