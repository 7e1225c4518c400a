"""External functions of Snowflake, unmodified, behind what API Gateway does for them."""

import gzip
import json

from functions import snowflake
from servers import Gateway

ROWS = ["ada,1", "bea,2", ",1", "cid,3"]
ANSWERS = ["hello ada", "hello bea bea", None, "hello cid cid cid"]


def greet(paceline, gateway, options="", rows=ROWS):
    declared = f"""f(name STRING, times INT) RETURNS STRING USING API OPTIONS (endpoint '{gateway.url}/greet',
        format 'snowflake', rate_limit_calls 'unlimited', retry_delay '1 ms' {options})"""
    run = paceline.local(rows, declared, columns="name STRING, times INT", select="name, f(name, times) AS answer")
    code, said = paceline.run(*run)
    assert code == 0, said


def answered(paceline):
    return [row.get("answer") for row in paceline.answers()]


def test_rows_and_headers_are_those_of_snowflake(paceline):
    with Gateway(snowflake.handler) as gateway:
        greet(paceline, gateway, """, custom_headers '{"tenant": "acme"}'""")
    assert answered(paceline) == ANSWERS
    (event,) = gateway.events
    assert json.loads(event["body"]) == {"data": [[0, "ada", 1], [1, "bea", 2], [2, None, 1], [3, "cid", 3]]}
    expected = {
        "sf-external-function-format": "json",
        "sf-external-function-format-version": "1.0",
        "sf-external-function-name": "F",
        "sf-external-function-signature": "(NAME VARCHAR, TIMES NUMBER)",
        "sf-external-function-return-type": "VARCHAR",
        "sf-custom-tenant": "acme",
    }
    assert expected.items() <= event["headers"].items()
    assert event["headers"]["sf-external-function-query-batch-id"]


def test_bodies_are_compressed_both_ways(paceline):
    with Gateway(snowflake.handler, compresses=True) as gateway:
        greet(paceline, gateway, ", compression 'gzip'")
    assert answered(paceline) == ANSWERS
    (event,) = gateway.events
    assert event["headers"]["content-encoding"] == "gzip"
    assert gateway.raw[0][:2] == gzip.compress(b"")[:2] and gateway.compressed == 1


def test_a_digest_that_fits(paceline):
    with Gateway(snowflake.with_digest) as gateway:
        greet(paceline, gateway)
    assert answered(paceline) == ANSWERS and gateway.events


def test_a_digest_that_does_not_fit_is_damage(paceline):
    with Gateway(snowflake.with_wrong_digest) as gateway:
        greet(paceline, gateway)
    assert answered(paceline) == [] and len(paceline.dead_letters()) == len(ROWS)
    assert all("damaged" in letter["error"] for letter in paceline.dead_letters())


def test_a_batch_is_polled_by_its_id_until_it_is_done(paceline):
    function = snowflake.Asynchronous()
    with Gateway(function.handler) as gateway:
        greet(paceline, gateway)
    assert answered(paceline) == ANSWERS
    (batch,) = function.batches
    assert function.polls == [batch] * 2
    assert [event["httpMethod"] for event in gateway.events] == ["POST", "GET", "GET"]
    assert [event["body"] for event in gateway.events[1:]] == ["", ""]
    assert paceline.report()["functions"]["f"]["polls"] == 2


def test_a_batch_that_is_refused_is_halved_to_the_bad_row(paceline):
    """The function fails where a number is missing."""
    with Gateway(snowflake.handler) as gateway:
        greet(paceline, gateway, rows=["ada,1", "bea,", "cid,1"])
    assert answered(paceline) == ["hello ada", "hello cid"]
    (letter,) = paceline.dead_letters()
    assert letter["status"] == 400 and letter["row"]["name"] == "bea"
