"""Runs queries over folders of Parquet files in Spark, one JSON line of schema and rows each.

    spark_answers.py TABLES ANSWERS [--unlimited] QUERY.sql...

TABLES has a folder for each table; lines are added to ANSWERS, and queries that are there already are not run again.
--unlimited takes a LIMIT at the end of the query away, so that ties at the cut do not matter.
"""
import argparse
import json
import os
import re
import time

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import SparkSession  # noqa: E402


def session():
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "8g",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.debug.maxToStringFields": "100000",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[2]").appName("answers")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def answer(spark, text):
    frame = spark.sql(text)
    plan = frame._jdf.queryExecution().executedPlan()
    result = spark._jvm.org.apache.spark.sql.execution.HiveResult.hiveResultString(plan)
    rows = result.mkString("\n").split("\n") if result.size() else []
    return {"schema": frame._jdf.schema().catalogString(), "rows": rows}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tables")
    parser.add_argument("answers")
    parser.add_argument("queries", nargs="+")
    parser.add_argument("--unlimited", action="store_true")
    arguments = parser.parse_args()
    done = set()
    if os.path.exists(arguments.answers):
        with open(arguments.answers, encoding="utf-8") as lines:
            done = {json.loads(line)["query"] for line in lines}
    spark = session()
    for table in sorted(os.listdir(arguments.tables)):
        spark.read.parquet(os.path.join(arguments.tables, table)).createOrReplaceTempView(table)
    with open(arguments.answers, "a", encoding="utf-8") as out:
        for path in arguments.queries:
            name = os.path.splitext(os.path.basename(path))[0]
            if name in done:
                continue
            with open(path, encoding="utf-8") as file:
                text = file.read().strip().rstrip(";")
            if arguments.unlimited:
                text = re.sub(r"(?is)\s+limit\s+\d+\s*$", "", text)
            start = time.monotonic()
            try:
                found = answer(spark, text)
            except Exception as error:  # the query's own: the next one may do
                found = {"error": str(error)[:500]}
            found = {"query": name, **found, "seconds": round(time.monotonic() - start, 2)}
            out.write(json.dumps(found, ensure_ascii=False) + "\n")
            out.flush()
            print(name, len(found.get("rows", [])), found.get("error", "")[:200], found["seconds"], flush=True)


if __name__ == "__main__":
    main()
