"""API functions that a session declares from Python."""

import pytest
from environment import stats

import paceline
from paceline import Session


def test_a_function_is_called_for_each_row(api):
    session = Session()
    session.api_function(
        "enrich", {"id": "BIGINT", "email": "STRING"}, {"status": "STRING", "score": "DOUBLE"}, endpoint=api, rate_limit_calls=5000
    )
    rows = session.sql("SELECT id, enrich(id, concat('user', id, '@example.com')) AS answer FROM range(20)").collect()
    assert [row.id for row in rows] == list(range(20)) and {row.answer.status for row in rows} == {"ok"}
    assert stats(api)["requests"] == 20 == session.progress()["functions"]["enrich"]["requests"]


def test_a_declaration_may_be_written_in_several_ways(api):
    session = Session()
    for args in ("id BIGINT", [("id", "BIGINT")], {"id": "BIGINT"}):
        for returns in ("STRUCT<status: STRING>", {"status": "STRING"}):
            session.api_function("f", args, returns, endpoint=api, rate_limit_calls="unlimited", deterministic=True)
            assert session.sql("SELECT f(1).status AS status").collect()[0].status == "ok"


def test_names_and_values_are_quoted(api):
    session = Session()
    session.api_function("odd `name`", {"a`b": "STRING"}, "STRING", endpoint=api, rate_limit_calls=10, quota="it's \\ odd")
    assert [limit["quota"] for limit in session.progress()["limits"]] == ["it's \\ odd"]
    assert session.sql("SELECT `odd ``name```('x') AS answer").count() == 1


def test_an_option_that_does_not_exist_is_named(api):
    with pytest.raises(paceline.ConfigurationError, match="no option 'rate_limit_call'; they have .*rate_limit_calls"):
        Session().api_function("f", {"id": "BIGINT"}, "STRING", endpoint=api, rate_limit_call=5)
    with pytest.raises(paceline.SqlError, match="http"):
        Session().api_function("f", {"id": "BIGINT"}, "STRING", endpoint="no url", rate_limit_calls=5)


def test_a_count_calls_as_the_rows_would(api):
    session = Session()
    session.api_function("f", {"id": "BIGINT"}, "STRING", endpoint=api, rate_limit_calls=100)
    assert session.sql("SELECT id, f(id) AS answer FROM range(50)").count() == 50
    assert stats(api)["requests"] == 50
