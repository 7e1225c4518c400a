"""The job in PySpark, done well: `pyspark_job.py INPUT OUTPUT OPTIONS`. mapPartitions with aiohttp, one window and one pace a partition.

Each partition has its share of the limit, as nothing is shared between Python workers.
"""

import json
import pathlib
import sys

from calls import COLUMNS, Options, answered
from pyspark.sql import Row, SparkSession


def main(source, target, options):
    options = Options(**json.loads(options))
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.addPyFile(str(pathlib.Path(__file__).with_name("calls.py")))
    records = spark.read.csv(source, header=True, schema=COLUMNS, timestampFormat="yyyy-MM-dd HH:mm:ss").rdd
    at_once = min(records.getNumPartitions(), spark.sparkContext.defaultParallelism)
    enriched = records.mapPartitions(lambda rows: called(rows, options.share(at_once)))
    schema = f"{COLUMNS}, answer STRUCT<status: STRING, score: DOUBLE>"
    spark.createDataFrame(enriched, schema, verifySchema=False).write.mode("overwrite").parquet(target)
    spark.stop()


def called(rows, options):
    for row, value in answered(rows, options):
        if value is not None:
            yield (*row, Row(status=value["status"], score=value["score"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
