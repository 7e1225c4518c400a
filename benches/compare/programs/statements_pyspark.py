"""Carries out statements in PySpark: `statements_pyspark.py FILE`; see statements.py."""

from pyspark.sql import SparkSession
from statements import carry_out

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "8g",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.session.timeZone": "UTC",
}

if __name__ == "__main__":
    builder = SparkSession.builder.master("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    carry_out(
        lambda name, path: spark.read.parquet(path).createOrReplaceTempView(name),
        lambda text: [tuple(row) for row in spark.sql(text).collect()],
    )
    spark.stop()
