"""Commands and actions of Flight SQL that ADBC's driver does not send, or not always: by Arrow's own client."""

import json
import threading
import urllib.parse
import urllib.request

import adbc_driver_flightsql.dbapi
import pyarrow
import pyarrow.flight as flight
import pytest
from cluster import Cluster, until

CANCELLED = CLOSED = b"\x08\x01"  # the first field, an enum, is 1


def field(number, value):
    """A field of protobuf: text or bytes, of fewer than 2 ** 14 bytes."""
    value = value.encode() if isinstance(value, str) else value
    length = [len(value)] if len(value) < 128 else [len(value) & 127 | 128, len(value) >> 7]
    return bytes([number << 3 | 2, *length]) + value


def command(name, *fields):
    return field(1, f"type.googleapis.com/arrow.flight.protocol.sql.{name}") + field(2, b"".join(fields))


def asked(name, *fields):
    return flight.FlightDescriptor.for_command(command(name, *fields))


def query(text):
    return asked("CommandStatementQuery", field(1, text))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("actions"))
    yield cluster
    cluster.end()


@pytest.fixture
def client(cluster):
    with flight.connect(cluster.flight) as client:
        yield client


def table(client, descriptor):
    return client.do_get(client.get_flight_info(descriptor).endpoints[0].ticket).read_all()


def act(client, action, body=b""):
    [result] = client.do_action(flight.Action(action, body))
    return result.body.to_pybytes()


def cancel(client, action, info):
    body = field(1, info.serialize())
    return act(client, action, command("ActionCancelQueryRequest", body) if action == "CancelQuery" else body)


def test_actions_are_named(client):
    assert {"CancelFlightInfo", "CancelQuery", "CloseSession", "CreatePreparedStatement"} <= {action.type for action in client.list_actions()}
    with pytest.raises(pyarrow.ArrowNotImplementedError, match="there is no action 'Dance'"):
        act(client, "Dance")


@pytest.mark.parametrize("action", ["CancelFlightInfo", "CancelQuery"])
def test_a_result_that_was_not_read_is_cancelled(client, action):
    info = client.get_flight_info(query("SELECT 1"))
    assert cancel(client, action, info).endswith(CANCELLED)
    with pytest.raises(pyarrow.ArrowException, match="no such result"):
        client.do_get(info.endpoints[0].ticket).read_all()
    with pytest.raises(pyarrow.ArrowException, match="no such result"):
        cancel(client, action, info)


@pytest.mark.parametrize("action", ["CancelFlightInfo", "CancelQuery"])
def test_a_result_that_is_read_is_cancelled_at_the_executor(cluster, client, action):
    api = cluster.mock_api()
    table(client, query(f"""CREATE TEMPORARY FUNCTION slow(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (
        endpoint '{api}', quota '{action}', rate_limit_calls '1', rate_limit_period '1 hour')"""))
    info = client.get_flight_info(query("SELECT slow(id).score AS score FROM range(10)"))
    ended = []

    def read():
        try:
            client.do_get(info.endpoints[0].ticket).read_all()
        except Exception as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    running = lambda: sum(executor["running"] for executor in cluster.ask("/api/v1/executors")["executors"])
    until(running)
    assert cancel(client, action, info).endswith(CANCELLED)
    reader.join(30)
    assert [type(error) for error in ended] == [flight.FlightCancelledError], ended
    until(lambda: running() == 0)
    assert table(client, query("SELECT 1 AS one")).to_pydict() == {"one": [1]}


def test_a_session_is_closed_and_the_next_statement_begins_another(client):
    table(client, query("CREATE TEMPORARY VIEW mine AS SELECT 7 AS seven"))
    assert table(client, query("SELECT seven FROM mine")).to_pydict() == {"seven": [7]}
    unread = client.get_flight_info(query("SELECT seven FROM mine"))
    assert act(client, "CloseSession") == CLOSED
    with pytest.raises(pyarrow.ArrowException, match="TABLE_OR_VIEW_NOT_FOUND"):
        table(client, query("SELECT seven FROM mine"))
    with pytest.raises(pyarrow.ArrowException, match="no such result"):
        client.do_get(unread.endpoints[0].ticket).read_all()


def test_what_is_no_result_cannot_be_cancelled(client):
    listing = client.get_flight_info(asked("CommandGetCatalogs"))
    with pytest.raises(pyarrow.ArrowInvalid, match="no result of a statement"):
        cancel(client, "CancelFlightInfo", listing)


def test_the_columns_of_a_statement_are_told_and_nothing_is_carried_out(cluster, client):
    api = cluster.mock_api()
    table(client, query(f"""CREATE TEMPORARY FUNCTION asked(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (
        endpoint '{api}', rate_limit_calls 'unlimited')"""))
    schema = client.get_schema(query("SELECT id, asked(id).score AS score FROM range(10)")).schema
    assert [(column.name, str(column.type)) for column in schema] == [("id", "int64"), ("score", "double")]
    assert client.get_schema(query("CREATE TEMPORARY VIEW v AS SELECT 1 AS one")).schema.names == []
    with pytest.raises(pyarrow.ArrowException, match="TABLE_OR_VIEW_NOT_FOUND"):
        table(client, query("SELECT * FROM v"))
    with urllib.request.urlopen(urllib.parse.urljoin(api, "/stats"), timeout=30) as stats:
        assert json.load(stats)["requests"] == 0
    assert client.get_schema(asked("CommandGetTableTypes")).schema.names == ["table_type"]
    with pytest.raises(pyarrow.ArrowException, match="PARSE_SYNTAX_ERROR"):
        client.get_schema(query("SELECT 1 FROM ("))
    with adbc_driver_flightsql.dbapi.connect(cluster.flight, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_sql_query("SELECT 1.5BD AS d")  # which is not prepared
        assert [str(column.type) for column in pyarrow.schema(cursor.adbc_statement.execute_schema())] == ["decimal128(2, 1)"]


def test_tables_have_no_keys(client):
    table(client, query("CREATE TABLE keyless (id INT)"))
    names = {
        "CommandGetPrimaryKeys": ["catalog_name", "db_schema_name", "table_name", "column_name", "key_name", "key_sequence"],
        **dict.fromkeys(["CommandGetExportedKeys", "CommandGetImportedKeys", "CommandGetCrossReference"], [
            "pk_catalog_name", "pk_db_schema_name", "pk_table_name", "pk_column_name", "fk_catalog_name", "fk_db_schema_name", "fk_table_name",
            "fk_column_name", "key_sequence", "fk_key_name", "pk_key_name", "update_rule", "delete_rule"]),
    }
    for name, columns in names.items():
        descriptor = asked(name, field(3, "keyless"))
        keys = table(client, descriptor)
        assert (keys.schema.names, keys.num_rows) == (columns, 0), name
        assert client.get_schema(descriptor).schema == keys.schema, name


def test_types_are_sparks_by_their_numbers_in_odbc(client):
    types = table(client, asked("CommandGetXdbcTypeInfo")).to_pylist()
    numbers = [(one["data_type"], one["type_name"]) for one in types]
    assert numbers == sorted(numbers)
    assert {(12, "STRING"), (4, "INT"), (-5, "BIGINT"), (3, "DECIMAL"), (93, "TIMESTAMP"), (-7, "BOOLEAN")} <= set(numbers)
    # What is a type there is one of Spark's: each may be cast to.
    for one in types:
        assert table(client, query(f"SELECT CAST(NULL AS {one['type_name']}) AS v")).num_rows == 1
    bigint = bytes([1 << 3, 0xFB, *[0xFF] * 8, 1])  # the field data_type is -5
    found = table(client, asked("CommandGetXdbcTypeInfo", bigint))
    assert found.column("type_name").to_pylist() == ["BIGINT"]
