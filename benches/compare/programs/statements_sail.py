"""Carries out statements in Sail, through Spark's own client: `statements_sail.py FILE`; see statements.py."""

import os

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession
from statements import carry_out

if __name__ == "__main__":
    server = SparkConnectServer(port=0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    carry_out(
        lambda name, path: spark.read.parquet(path).createOrReplaceTempView(name),
        lambda text: [tuple(row) for row in spark.sql(text).collect()],
    )
    os._exit(0)  # nothing is left to do; its shutdown waits for what the client keeps open
