"""A DataFrame of PySpark goes in, and one comes back."""

import shutil

import pytest
from environment import stats

import paceline

pytestmark = pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 8, 11 or 17, and there is none in PATH")


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
    spark = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    yield spark
    spark.stop()


def test_types_and_nulls_stay(spark):
    columns = """1L AS id, CAST(NULL AS INT) AS n, 1.50BD AS amount, DATE '2024-01-31' AS day, TIMESTAMP '2024-01-31 10:00:00' AS at,
                 array(1, NULL) AS list, named_struct('a', 'x') AS struct, X'00' AS bin"""
    frame = spark.sql(f"SELECT {columns}")
    session = paceline.Session()
    session.register("frame", frame)
    back = session.table("frame")
    # What Spark's struct<…> says of NULL is said nowhere in a type's name.
    assert back.schema.simpleString() == frame.schema.simpleString()
    [ours], [theirs] = back.collect(), session.sql(f"SELECT {columns}").collect()
    assert ours == theirs


def test_process_gives_a_frame_of_spark_back(spark, api):
    frame = spark.range(500).selectExpr("id", "concat('user', id, '@example.com') AS email", "CAST(NULL AS INT) AS nothing")
    answered = paceline.process(frame, api, returns={"status": "STRING", "score": "DOUBLE"}, format="array", batch_size=100)
    assert answered.sparkSession is not None and stats(api)["requests"] == 5
    assert answered.schema.simpleString() == "struct<id:bigint,email:string,nothing:int,status:string,score:double,_error:string>"
    row = answered.selectExpr("count(*) AS rows", "count(DISTINCT id) AS ids", "min(status) AS least", "count(_error) AS errors").first()
    assert tuple(row) == (500, 500, "ok", 0)
    assert answered.where("nothing IS NULL").count() == 500
