"""A notebook's work: records of pandas to an API in arrays of 1,000, and answers of pandas back, by `paceline` or by `pyspark`.

Says when the records are there, waits for a line, and prints how many seconds it took and the sum of the answers, as JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

import pandas

IN_FLIGHT = 64


def main(engine, endpoint, records):
    """Does the work."""
    people = pandas.DataFrame({"id": range(records), "email": [f"user{number}@example.com" for number in range(records)]})
    work = {"paceline": with_paceline, "pyspark": with_pyspark}[engine](people, endpoint)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    answered, scores = work()
    seconds = time.monotonic() - start
    assert answered["id"].tolist() == list(range(records)), "a record is missing, twice there, or elsewhere"
    print(json.dumps({"seconds": seconds, "sum": float(scores(answered).sum())}), flush=True)


def with_paceline(people, endpoint):
    """One call; the session is in it."""
    import paceline

    def work():
        pace = {"rate_limit_calls": "unlimited", "max_workers": IN_FLIGHT, "progress": False}
        answered = paceline.process(people, endpoint, format="array", returns={"status": "STRING", "score": "DOUBLE"}, **pace)
        return answered, lambda frame: frame["score"]

    return work


def with_pyspark(people, endpoint):
    """mapPartitions and aiohttp, as the comparison's PySpark has them, on a session that is there already."""
    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    programs = Path(__file__).parents[2] / "benches" / "compare" / "programs"
    sys.path.append(str(programs))
    from calls import Options
    from pyspark.sql import SparkSession
    from pyspark_job import called

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
    spark = spark.config("spark.sql.execution.arrow.pyspark.enabled", "true").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    for program in ("calls.py", "pyspark_job.py"):
        spark.sparkContext.addPyFile(str(programs / program))
    options = Options(endpoint, rows_a_request=1000, in_flight=IN_FLIGHT, calls_a_second=None).share(2)

    def work():
        answered = spark.createDataFrame(people).rdd.mapPartitions(lambda rows: called(rows, options))
        schema = "id BIGINT, email STRING, answer STRUCT<status: STRING, score: DOUBLE>"
        answered = spark.createDataFrame(answered, schema, verifySchema=False).selectExpr("id", "email", "answer.*").toPandas()
        return answered.sort_values("id"), lambda frame: frame["score"]  # they come as they are answered

    return work


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
