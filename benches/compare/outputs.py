"""What a job wrote, beside what it should have: every record once, with the API's own answer."""

import collections
import csv

import pyarrow.dataset

AT_ONCE = 1000  # records in one question


def answers_of(api, source):
    """What the API itself says of every record of a CSV file, by id; no contender is asked."""
    answers, records = {}, []

    def ask():
        answers.update((record["id"], (value["status"], value["score"])) for record, value in zip(records, api.post(records)))
        records.clear()

    with source.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            records.append({"id": int(row["id"]), "email": row["email"]})
            if len(records) == AT_ONCE:
                ask()
    if records:
        ask()
    return answers


def faults(folder, answers):
    """How many records are lost, how many rows are too many, and how many have another answer than the API gave."""
    table = pyarrow.dataset.dataset(folder, format="parquet").to_table(columns=["id", "answer"])
    rows = list(zip(table["id"].to_pylist(), table["answer"].to_pylist()))
    times = collections.Counter(id for id, _ in rows)
    return {
        "lost": sum(id not in times for id in answers),
        "doubled": sum(count - 1 for count in times.values()) + sum(id not in answers for id in times),
        "wrong": sum(answers.get(id) != (answer and (answer["status"], answer["score"])) for id, answer in rows if id in answers),
    }
