"""Rows to an API and back with aiohttp, as the jobs in Python do it: pooled connections, a window of requests in flight, a pace, retries.

The same code serves the plain job and each partition of the job in PySpark, whose pace is its share of the limit.
"""

import asyncio
import dataclasses
import itertools
import json
import random
import time

import aiohttp

HELD = 1000  # answers that are held until the caller gets them
COLUMNS = "id BIGINT, name STRING, email STRING, country STRING, amount DOUBLE, created_at TIMESTAMP"


@dataclasses.dataclass
class Options:
    """What the job is to do; `calls_a_second` is None where there is no limit."""

    endpoint: str
    rows_a_request: int
    in_flight: int
    calls_a_second: float
    attempts: int = 8
    delay: float = 1.0  # seconds before the first retry
    timeout: float = 30.0  # seconds for one attempt

    def share(self, partitions):
        """That of one of so many partitions that run at once."""
        calls = self.calls_a_second and self.calls_a_second / partitions
        return dataclasses.replace(self, in_flight=max(1, self.in_flight // partitions), calls_a_second=calls)


class Pace:
    """Gives each call a time of its own, so many a second."""

    def __init__(self, calls_a_second):
        self.between = 1 / calls_a_second if calls_a_second else 0
        self.next = 0.0

    async def turn(self):
        if not self.between:
            return
        now = time.monotonic()
        at = max(now, self.next)
        self.next = at + self.between
        if at > now:
            await asyncio.sleep(at - now)


class Client:
    def __init__(self, options, rows):
        self.options, self.rows = options, iter(rows)
        self.pace = Pace(options.calls_a_second)
        self.answered, self.enough = [], asyncio.Event()

    async def start(self):
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.options.in_flight),
            timeout=aiohttp.ClientTimeout(total=self.options.timeout),
        )
        self.work = asyncio.gather(*(self.worker() for _ in range(self.options.in_flight)))
        self.work.add_done_callback(lambda _: self.enough.set())

    async def worker(self):
        while rows := list(itertools.islice(self.rows, self.options.rows_a_request)):
            values = await self.answers(rows)  # before the list is looked up: it may be another one afterwards
            self.answered.extend(zip(rows, values))
            if len(self.answered) >= HELD:
                self.enough.set()

    async def answers(self, rows):
        """The API's values for some rows; None for those that are given up."""
        objects = [{"id": row["id"], "email": row["email"]} for row in rows]
        one = self.options.rows_a_request == 1
        body = json.dumps(objects[0] if one else objects)
        for attempt in range(self.options.attempts):
            await self.pace.turn()
            try:
                async with self.session.post(self.options.endpoint, data=body, headers={"Content-Type": "application/json"}) as reply:
                    if reply.status < 400:
                        values = await reply.json(content_type=None)
                        return [values] if one else values
                    if reply.status not in (408, 425, 429) and reply.status < 500:
                        break
            except (aiohttp.ClientError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(random.uniform(0, self.options.delay * 2**attempt))
        return [None] * len(rows)

    async def more(self):
        """What was answered since; nothing when all is done."""
        await self.enough.wait()
        if self.work.done():
            self.work.result()  # raises what a worker raised
        else:
            self.enough.clear()
        answered, self.answered = self.answered, []
        return answered

    async def close(self):
        self.work.cancel()
        await self.session.close()


def answered(rows, options):
    """Pairs of a row and its value, as they come. Requests stay in flight while the caller deals with what it has got."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    client = Client(options, rows)
    loop.run_until_complete(client.start())
    try:
        while pairs := loop.run_until_complete(client.more()):
            yield from pairs
    finally:
        loop.run_until_complete(client.close())
        loop.close()
