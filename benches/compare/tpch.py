"""TPC-H: 22 queries over the same Parquet files by everybody, each contender with one session a run, the better of two times counts."""

import contextlib
import dataclasses
import shutil

from .figures import geometric_mean, short
from .processes import ROOT, cluster, measured
from .statements import carried_out, judge, problems

QUERIES = ROOT / "benches" / "tpch" / "queries"
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


@dataclasses.dataclass(frozen=True)
class Tpch:
    """One scenario."""

    name: str
    title: str
    scale: float
    rounds: int = 3
    times: int = 2
    warm: bool = True
    queries: str = "q*"
    contenders: tuple = ("paceline", "datafusion", "sail", "pyspark", "paceline-2")

    kind = "sql"

    def run(self, field, work, rounds, say):
        tables, folder = tables_of(field, work, self.scale), work / "sql"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        paths = sorted(QUERIES.glob(f"{self.queries}.sql"))
        statements = [(path.stem, path.read_text(encoding="utf-8").strip().rstrip(";")) for path in paths]
        repeated = [statement for statement in statements for _ in range(self.times)]
        runs, answers = {contender: [] for contender in self.contenders}, {}
        with contextlib.ExitStack() as stack:
            executors = stack.enter_context(cluster(field.paceline, folder, 2)) if "paceline-2" in self.contenders else None
            for contender in self.contenders if self.warm else ():  # the page cache, and whatever is compiled when it first runs
                carried_out(field, folder, contender, tables, statements[:1], executors=executors)
            for number in rounds:
                for contender in self.contenders:
                    figures, ready, answers[contender] = carried_out(field, folder, contender, tables, repeated, executors=executors)
                    runs[contender].append(self.figures(figures, ready, answers[contender]))
                    say(f"{contender}, round {number + 1}: {short(runs[contender][-1]['total_s'])} s")
                judge(runs, answers)
        shutil.rmtree(folder)
        return runs

    def figures(self, figures, ready, answers):
        """A query that failed each time has no seconds; a total and a mean without it would be of less work than those of the others."""
        best = {}
        for answer in answers:
            if not answer["error"]:
                best[answer["name"]] = min(best.get(answer["name"], float("inf")), answer["seconds"])
        all_there = len(best) == len({answer["name"] for answer in answers})
        return {
            "total_s": sum(best.values()) if all_there else None,
            "geometric_mean_s": geometric_mean(best.values()) if all_there else None,
            "ready_s": ready,
            "queries": {name: round(seconds, 4) for name, seconds in best.items()},
            **{key: figures[key] for key in ("wall_s", "cpu_s", "peak_bytes", "processes")},
        }

    def problems(self, runs):
        return problems(self.name, runs)


def tables_of(field, work, scale):
    """The tables at a scale; they are made once."""
    folder = work / f"tpch-{scale:g}"
    if not folder.exists():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        measured([field.paceline, "data", "tpch", "--scale", scale, "--out", making], work)
        making.rename(folder)
    return {name: folder / name for name in TABLES}


def scenarios():
    yield Tpch("tpch-1", "TPC-H, scale 1", 1)
    yield Tpch("tpch-10", "TPC-H, scale 10", 10, rounds=1, times=1)


def quick():
    yield Tpch("quick-tpch", "TPC-H, scale 0.01", 0.01, rounds=1, times=1, warm=False, queries="q[01][1368]")
