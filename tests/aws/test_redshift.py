"""Lambda UDFs of Redshift, unmodified: behind a gateway, and by Lambda's own Invoke."""

from functions import redshift
from servers import Integration, Invoke

ROWS = ["1,2", "3,", "9007199254740993,1", "5,7"]
SUMS = [3, None, 9007199254740994, 12]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIALAMBDA", "AWS_SECRET_ACCESS_KEY": "lambda/secret+key", "AWS_REGION": "us-east-1"}
SIGNED = ", auth 'aws-sigv4', aws_service 'lambda'"


def add(paceline, url, options="", **env):
    declared = f"""f(a BIGINT, b BIGINT) RETURNS BIGINT USING API OPTIONS (endpoint '{url}', format 'redshift',
        rate_limit_calls 'unlimited', retry_delay '1 ms' {options})"""
    run = paceline.local(ROWS, declared, columns="a BIGINT, b BIGINT", select="a, b, f(a, b) AS answer")
    code, said = paceline.run(*run, **env)
    assert code == 0, said
    return [row.get("answer") for row in paceline.answers()]


def test_behind_a_gateway(paceline):
    with Integration(redshift.handler) as gateway:
        assert add(paceline, gateway.url, ", session_user 'ada'") == SUMS
    (event,) = gateway.events
    assert event["arguments"] == [[1, 2], [3, None], [9007199254740993, 1], [5, 7]] and event["num_records"] == 4
    assert (event["user"], event["external_function"]) == ("ada", "f")


def test_a_batch_without_success_is_halved_to_the_bad_row(paceline):
    with Integration(redshift.no_sevens) as gateway:
        assert add(paceline, gateway.url) == SUMS[:3]
    (letter,) = paceline.dead_letters()
    assert letter["row"] == {"a": 5, "b": 7} and "seven is not served" in letter["error"]
    assert sorted(event["num_records"] for event in gateway.events) == [1, 1, 2, 2, 4]


def test_by_invoke_with_a_signature(paceline):
    with Invoke("adder", redshift.handler, "AKIALAMBDA", "lambda/secret+key") as aws_lambda:
        assert add(paceline, aws_lambda.url + aws_lambda.path, SIGNED, **KEYS) == SUMS
    (event,) = aws_lambda.events
    assert event["num_records"] == 4


def test_by_invoke_with_a_session(paceline):
    with Invoke("adder", redshift.handler, "AKIALAMBDA", "lambda/secret+key", "a-session-token") as aws_lambda:
        env = KEYS | {"AWS_SESSION_TOKEN": "a-session-token"}
        assert add(paceline, aws_lambda.url + aws_lambda.path, SIGNED, **env) == SUMS


def test_by_invoke_with_the_wrong_key(paceline):
    with Invoke("adder", redshift.handler, "AKIALAMBDA", "another key") as aws_lambda:
        assert add(paceline, aws_lambda.url + aws_lambda.path, SIGNED, **KEYS) == []
    assert aws_lambda.events == [] and {letter["status"] for letter in paceline.dead_letters()} == {403}


def test_a_function_that_crashes_says_why(paceline):
    with Invoke("adder", redshift.crashes, "AKIALAMBDA", "lambda/secret+key") as aws_lambda:
        assert add(paceline, aws_lambda.url + aws_lambda.path, SIGNED, **KEYS) == []
    assert aws_lambda.events and len(paceline.dead_letters()) == len(ROWS)
    assert all("Unhandled" in letter["error"] and "out of cheese" in letter["error"] for letter in paceline.dead_letters())
