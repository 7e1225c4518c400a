"""The job of the README as it is written in PySpark: mapPartitions with aiohttp, arrays of 1,000, 32 requests in flight
for each of two partitions. Says how many seconds the work took, without the start of the session."""

import asyncio
import itertools
import json
import sys
import time

import aiohttp
from pyspark.sql import Row, SparkSession

ROWS_A_REQUEST = 1000
IN_FLIGHT = 32

SCHEMA = "id BIGINT, name STRING, email STRING, country STRING, amount DOUBLE, created_at TIMESTAMP"


def main(source, target, endpoint):
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    start = time.monotonic()
    records = spark.read.csv(source, header=True, schema=SCHEMA, timestampFormat="yyyy-MM-dd HH:mm:ss")
    answered = records.rdd.mapPartitions(lambda rows: call(rows, endpoint))
    answer = "STRUCT<status: STRING, score: DOUBLE>"
    enriched = spark.createDataFrame(answered, f"{SCHEMA}, answer {answer}", verifySchema=False)
    enriched.write.mode("overwrite").parquet(target)
    print("seconds", time.monotonic() - start)
    spark.stop()


def call(rows, endpoint):
    """Sends a window of arrays at a time, so that a partition is never in memory as a whole."""
    loop = asyncio.new_event_loop()
    session = loop.run_until_complete(start_session())
    try:
        while window := list(itertools.islice(rows, ROWS_A_REQUEST * IN_FLIGHT)):
            arrays = [window[at : at + ROWS_A_REQUEST] for at in range(0, len(window), ROWS_A_REQUEST)]
            yield from itertools.chain.from_iterable(loop.run_until_complete(send_all(session, endpoint, arrays)))
    finally:
        loop.run_until_complete(session.close())
        loop.close()


async def start_session():
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT))


async def send_all(session, endpoint, arrays):
    return await asyncio.gather(*(send(session, endpoint, array) for array in arrays))


async def send(session, endpoint, rows):
    body = json.dumps([{"id": row.id, "email": row.email} for row in rows])
    async with session.post(endpoint, data=body, headers={"Content-Type": "application/json"}) as reply:
        reply.raise_for_status()
        answers = await reply.json(content_type=None)
    return [(*row, Row(status=answer["status"], score=answer["score"])) for row, answer in zip(rows, answers)]


if __name__ == "__main__":
    main(*sys.argv[1:])
