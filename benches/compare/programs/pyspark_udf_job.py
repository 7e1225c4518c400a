"""The job in PySpark as it is usually written: `pyspark_udf_job.py INPUT OUTPUT OPTIONS`. A UDF that calls with requests, row by row."""

import json
import pathlib
import sys
import time

import requests
from calls import COLUMNS, Options
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

SESSION = None  # one for each Python worker: connections are pooled


def main(source, target, options):
    options = Options(**json.loads(options))
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.addPyFile(str(pathlib.Path(__file__).with_name("calls.py")))
    records = spark.read.csv(source, header=True, schema=COLUMNS, timestampFormat="yyyy-MM-dd HH:mm:ss")
    enrich = udf(lambda id, email: call(id, email, options), "STRUCT<status: STRING, score: DOUBLE>").asNondeterministic()
    enriched = records.withColumn("answer", enrich("id", "email"))
    enriched.write.mode("overwrite").parquet(target)
    spark.stop()


def call(id, email, options):
    global SESSION
    SESSION = SESSION or requests.Session()
    for attempt in range(options.attempts):
        reply = SESSION.post(options.endpoint, json={"id": id, "email": email}, timeout=options.timeout)
        if reply.status_code < 400:
            value = reply.json()
            return value["status"], value["score"]
        time.sleep(options.delay * 2**attempt)
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
