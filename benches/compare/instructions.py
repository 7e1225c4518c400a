"""Instructions and allocations of a record on its way, counted by callgrind: of two jobs that differ in their number of records only.

Counts depend less on what else the machine does than seconds do. What runs by the clock, as the display and the journal, runs more often
for each record the slower the machine is: allocations, of which that has few, are the steadier figure.
"""

import dataclasses
import re
import shutil

from .api_job import ApiJob, records
from .processes import Failed, MockApi, measured

ALLOCATES = re.compile(r"_rjem_(malloc|mallocx|calloc|realloc|rallocx|aligned_alloc|posix_memalign)")
NAMED = re.compile(r"\((\d+)\)(?: (.*))?")


@dataclasses.dataclass(frozen=True)
class Instructions:
    """One scenario: jobs of `few` and of `many` records."""

    name: str
    title: str
    few: int
    many: int
    rows: int
    rounds: int = 3
    contenders: tuple = ("callgrind",)

    kind = "instructions"

    def run(self, field, work, rounds, say):
        folder = work / "instructions"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        runs = {contender: [] for contender in self.contenders}
        with MockApi.started(field.paceline, folder) as api:
            for number in rounds if self.contenders else ():
                counted = [self.counted(field, work, folder, api, count) for count in (self.few, self.many)]
                (few, few_allocations), (many, many_allocations) = counted
                each = (many - few) / (self.many - self.few)
                run = {"instructions": each, "start": few - each * self.few}
                if many_allocations:
                    run["allocations"] = (many_allocations - few_allocations) / (self.many - self.few)
                runs["callgrind"].append(run)
                say(f"round {number + 1}: {each:,.0f} instructions a record, {run.get('allocations', float('nan')):.1f} allocations")
        shutil.rmtree(folder)
        return runs

    def counted(self, field, work, folder, api, count):
        output, counts = folder / "enriched", folder / "callgrind.out"
        shutil.rmtree(output, ignore_errors=True)
        job = ApiJob(self.name, "", count, rows=self.rows)
        script = job.script(folder, records(field, work, count), output, api.url)
        command = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={counts}", field.paceline, "run", script]
        measured(command, folder, env={"XDG_STATE_HOME": str(folder)})
        return read(counts)

    def problems(self, runs):
        return ()


def read(path):
    """The instructions of a whole process, and how often memory was asked for; nothing where the binary has no symbols."""
    total, calls, callee, names, allocates = 0, 0, "", {}, False
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith(("totals:", "summary:")):
                total = max(total, int(line.split()[1]))
            elif line.startswith(("fn=", "cfn=")):
                number, name = NAMED.fullmatch(line.split("=", 1)[1].rstrip("\n")).groups()
                callee = names.setdefault(number, name)
                allocates = allocates or bool(ALLOCATES.match(callee))
            elif line.startswith("calls=") and ALLOCATES.match(callee):
                calls += int(line[len("calls=") :].split()[0])
    if not total:
        raise Failed(f"callgrind counted nothing in {path}")
    return total, calls if allocates else None


def scenarios():
    yield Instructions("instructions-record", "one record a request", 1_000, 5_000, 1)
    yield Instructions("instructions-batch", "batches of 1,000", 10_000, 50_000, 1000)
