"""A Glue ETL script for the tests: Spark and Paceline in one, in a Spark with executors in processes of their own.

`mixed` goes from Spark to Paceline and back, then through an exception; `classic` runs the classic job on the workers; `long` runs a job
until it is killed. All take a folder, the API's URL and the mark of the test's processes.
"""

import os
import sys
from pathlib import Path

from environment import paceline as program
from environment import running, wait_for
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import paceline.glue
from paceline.glue import binary, probe
from paceline.glue.cluster import cluster_of_spark

RECORDS = 2000
STATEMENTS = """
CREATE TEMPORARY VIEW records USING parquet OPTIONS (path '{folder}/{source}');
CREATE TEMPORARY FUNCTION enrich(id BIGINT, email STRING) RETURNS STRUCT<status: STRING, score: DOUBLE>
  USING API OPTIONS (endpoint '{api}', rate_limit_calls '{rate}');
INSERT OVERWRITE DIRECTORY '{folder}/{output}' USING parquet
  SELECT *, enrich(id, email) AS answer FROM records;
"""


def spark_of(executors):
    builder = SparkSession.builder.master(f"local-cluster[{executors},2,1024]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    session = builder.config("spark.sql.shuffle.partitions", "2").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def on_workers(workers, script, *more):
    """As Glue gives them, with settings for executors that share a small machine."""
    sized = ["--paceline-worker-type", "G.1X", "--paceline-number-of-workers", str(workers)]
    conf = "paceline.partitions=4"
    return ["script.py", "--paceline-job", script, "--paceline-workers", "spark", *sized, "--paceline-conf", conf, *more]


def statements(folder, api, source, output, rate="unlimited"):
    path = folder / f"{output}.sql"
    path.write_text(STATEMENTS.format(folder=folder, api=api, source=source, output=output, rate=rate))
    return str(path)


def made(spark):
    """Records of many types, of which some are NULL."""
    id = F.col("id")
    return spark.range(1, RECORDS + 1, numPartitions=4).select(
        id,
        F.concat(F.lit("user"), id.cast("string"), F.lit("@example.com")).alias("email"),
        F.when(id % 7 != 0, F.concat(F.lit('käse, "☂" '), id.cast("string"))).alias("note"),
        (id / 4).cast("decimal(12,3)").alias("amount"),
        F.date_add(F.lit("2024-02-27").cast("date"), (id % 5).cast("int")).alias("day"),
        F.timestamp_micros(id * 1_234_567_891).alias("at"),
        F.array(id, F.lit(None).cast("bigint")).alias("ids"),
    )


def mixed(folder, api, mark):
    spark = spark_of(2)
    records = made(spark)
    # Through files, as a job of Glue does with data of any size, and through Arrow, as one does with what fits the driver.
    records.write.parquet(f"file://{folder}/records")
    (folder / "arrow").mkdir()
    import pyarrow.parquet

    collected = pyarrow.Table.from_batches(records._collect_as_arrow())
    pyarrow.parquet.write_table(collected, folder / "arrow" / "part-0.parquet")

    report = paceline.glue.main(on_workers(3, statements(folder, api, "records", "answered")))
    assert report["records_written"] == RECORDS, report
    assert not running(mark, "paceline executor") and not running(mark, "paceline scheduler")
    answered = spark.read.parquet(f"file://{folder}/answered")
    back = answered.drop("answer")
    # What is read from files may be NULL, as Spark sees it: types and names are compared without that.
    assert back.schema.simpleString() == records.schema.simpleString(), back.schema
    assert back.exceptAll(records).count() == records.exceptAll(back).count() == 0
    assert answered.where("answer.status = 'ok' AND answer.score IS NOT NULL").count() == RECORDS
    print("EQUAL", flush=True)

    told = probe.main()
    assert len(told["workers"]) == 2 and all(list(worker["reaches"].values()) == ["yes"] for worker in told["workers"]), told
    assert told["driver"]["program"]["exit_code"] == 0 and told["spark"]["spark.master"].startswith("local-cluster")
    print("PROBED", flush=True)
    fewer(folder, api, mark, spark)


def fewer(folder, api, mark, spark):
    """More workers are expected than come; then the job's script fails in the midst."""
    script = statements(folder, api, "arrow", "through_arrow")
    options = paceline.glue.Options.read(on_workers(4, script))
    try:
        with cluster_of_spark(options, binary.find(), no_progress=8) as cluster:
            assert cluster.roster.ready == 2
            assert len(running(mark, "paceline executor")) == 2
            # Spark has cores left for its own.
            assert spark.range(1000).selectExpr("sum(id)").first()[0] == 499500
            program("run", script, *cluster.conf, **cluster.environment)
            raise KeyError("of the script")
    except KeyError:
        print("RAISED", flush=True)
    wait_for(lambda: not running(mark, "paceline executor") and not running(mark, "paceline scheduler"), "the end of all", 5)
    answered = spark.read.parquet(f"file://{folder}/through_arrow")
    assert answered.drop("answer").exceptAll(made(spark)).count() == 0 and answered.count() == RECORDS
    assert spark.range(10).count() == 10
    print("GOES ON", flush=True)


def classic(folder, api, mark):
    """Its arguments are in the environment of the test, as is where S3 is."""
    spark_of(1)
    named = [text for name in ("source_bucket", "source_key", "api_endpoint") for text in (f"--{name}", os.environ[name])]
    sized = ["--paceline-workers", "spark", "--paceline-worker-type", "G.1X", "--paceline-number-of-workers", "2"]
    report = paceline.glue.main(["script.py", *named, *sized])
    assert report["state"] == "SUCCEEDED" and not running(mark, "paceline executor")
    print("CLASSIC", flush=True)


def long(folder, api, mark):
    spark = spark_of(1)
    made(spark).write.parquet(f"file://{folder}/records")
    report = paceline.glue.main(on_workers(2, statements(folder, api, "records", "answered", rate="200")))
    assert report["records_written"] == spark.read.parquet(f"file://{folder}/answered").select("id").distinct().count() == RECORDS
    print("COMPLETE", flush=True)


if __name__ == "__main__":
    mode, folder, api, mark = sys.argv[1:]
    {"mixed": mixed, "classic": classic, "long": long}[mode](Path(folder), api, mark)
