"""What the programs that carry out statements share: the file they read, and the lines they print.

The file is JSON: {"tables": {name: path of Parquet files}, "statements": [{"name", "text"}]}. The first line printed says that the tables
are there; then each statement has a line, {"name", "rows"} or {"name", "error"}, when its rows are there. Whoever reads has the times.
"""

import datetime
import json
import sys


def cell(value):
    """A value as Spark's command line prints it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    return str(value)


def carry_out(register, rows_of):
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    for name, path in asked["tables"].items():
        register(name, path)
    print(json.dumps({"ready": True}), flush=True)
    for statement in asked["statements"]:
        try:
            answer = {"rows": ["\t".join(map(cell, row)) for row in rows_of(statement["text"])]}
        except Exception as error:  # whatever an engine raises is its answer
            answer = {"error": str(error)[:500]}
        print(json.dumps({"name": statement["name"], **answer}), flush=True)
