"""The job in plain Python, one process and one thread: `asyncio_job.py INPUT OUTPUT OPTIONS`. Reads CSV, calls, writes Parquet."""

import csv
import datetime
import itertools
import json
import pathlib
import sys

import pyarrow
import pyarrow.parquet
from calls import Options, answered

ROWS_A_GROUP = 20_000
ANSWER = pyarrow.struct([("status", pyarrow.string()), ("score", pyarrow.float64())])
SCHEMA = pyarrow.schema(
    [
        ("id", pyarrow.int64()),
        ("name", pyarrow.string()),
        ("email", pyarrow.string()),
        ("country", pyarrow.string()),
        ("amount", pyarrow.float64()),
        ("created_at", pyarrow.timestamp("us")),
        ("answer", ANSWER),
    ]
)


def typed(row):
    row["id"], row["amount"] = int(row["id"]), float(row["amount"])
    row["created_at"] = datetime.datetime.fromisoformat(row["created_at"])
    return row


def main(source, target, options):
    target = pathlib.Path(target)
    target.mkdir()
    with open(source, encoding="utf-8", newline="") as lines, pyarrow.parquet.ParquetWriter(target / "part-0.parquet", SCHEMA) as out:
        pairs = answered(map(typed, csv.DictReader(lines)), Options(**json.loads(options)))
        rows = ({**row, "answer": value} for row, value in pairs if value is not None)
        while group := list(itertools.islice(rows, ROWS_A_GROUP)):
            out.write_table(pyarrow.Table.from_pylist(group, SCHEMA))
    (target / "_SUCCESS").touch()


if __name__ == "__main__":
    main(*sys.argv[1:])
