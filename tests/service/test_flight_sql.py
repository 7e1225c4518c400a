"""Flight SQL with ADBC's driver: its answers are those of `paceline sql`, and who has no token gets none."""

import base64
import datetime
import decimal
import json
import math
import os
import subprocess
import threading
import warnings

import adbc_driver_manager
import pyarrow
import pyarrow.compute
import pytest
from adbc_driver_flightsql import DatabaseOptions
from adbc_driver_flightsql.dbapi import connect
from cluster import Cluster, Process, until

TOKEN = "0123456789abcdef-flight"

STATEMENTS = {
    "numbers": "SELECT 1 AS i, 2L AS l, 3S AS s, 4Y AS t, 1.5D AS d, CAST(2.25 AS FLOAT) AS f, -7 AS n, true AS b",
    "text": "SELECT 'grüße, \"Welt\"' AS text, '' AS empty, 'a\\nb' AS lines",
    "nulls": "SELECT NULL AS v, CAST(NULL AS INT) AS i, CAST(NULL AS STRING) AS s, CAST(NULL AS DECIMAL(10, 2)) AS d, CAST(NULL AS ARRAY<INT>) AS a",
    "decimals": "SELECT CAST(1.1 AS DECIMAL(10, 2)) AS a, CAST(-12345678901234567890.0123456789 AS DECIMAL(38, 10)) AS b, 1.1 * 2.22 AS c, CAST(0 AS DECIMAL(5, 5)) AS z",
    "times": "SELECT DATE'2024-02-29' AS d, TIMESTAMP'2024-02-29 12:34:56.789012' AS t, TIMESTAMP_NTZ'1969-12-31 23:59:59.5' AS n",
    "nested": "SELECT array(1, NULL, 3) AS a, named_struct('x', 1, 'y', array('p', NULL)) AS s, map('k', 1, 'l', NULL) AS m, array(named_struct('z', 1.5BD)) AS q",
    "bytes": "SELECT X'00FF10' AS b, CAST(NULL AS BINARY) AS n",
    "nothing": "SELECT id, CAST(id AS STRING) AS s FROM range(10) WHERE id < 0",
    "rows": "SELECT id, id % 7 AS r, if(id % 3 = 0, NULL, concat('row ', id)) AS s FROM range(5000) ORDER BY id",
    "groups": "SELECT id % 10 AS k, count(*) AS n, sum(id) AS total, avg(id) AS mean FROM range(100000) GROUP BY id % 10 ORDER BY k",
    "names": "SELECT 1 AS a, 2 AS `a`, 3 AS `b c`, 1 + 1",
    "command": "SHOW DATABASES",
    "explained": "EXPLAIN SELECT id FROM range(10) WHERE id > 3",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("flight"), TOKEN)
    yield cluster
    cluster.end()


def connected(cluster, header=f"Bearer {TOKEN}", **options):
    kwargs = options | ({DatabaseOptions.AUTHORIZATION_HEADER.value: header} if header else {})
    return connect(cluster.flight, db_kwargs=kwargs, autocommit=True)


@pytest.fixture
def cursor(cluster):
    with connected(cluster) as connection, connection.cursor() as cursor:
        yield cursor


def plain(value, kind):
    """A value as `paceline sql --format json` writes it."""
    if value is None:
        return None
    if pyarrow.types.is_struct(kind):
        return {field.name: plain(value[field.name], field.type) for field in kind if value[field.name] is not None}
    if pyarrow.types.is_map(kind):
        return {key: plain(item, kind.item_type) for key, item in value if item is not None}
    if pyarrow.types.is_list(kind):
        return [plain(item, kind.value_type) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat() if value.tzinfo else value.isoformat()
        return text.replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def same(ours, theirs):
    """Whether two plain values are one; numbers are compared as decimals, times as moments."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, decimal.Decimal):
        return ours == decimal.Decimal(str(theirs))
    if isinstance(ours, str) and isinstance(theirs, str) and "T" in ours and ours != theirs:
        return datetime.datetime.fromisoformat(ours) == datetime.datetime.fromisoformat(theirs)
    return ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool)


@pytest.mark.parametrize("name", STATEMENTS)
def test_answers_are_those_of_paceline_sql(cluster, cursor, name):
    at = cluster.scheduler.says("scheduler")
    cursor.execute(STATEMENTS[name])
    table = cursor.fetch_arrow_table()
    text = cluster.run("sql", "--cluster", f"df://{at}", "--format", "csv", "-e", STATEMENTS[name]) if name not in ("nested", "nulls", "explained") else None
    if text is not None:
        assert text.splitlines()[0] == ",".join(table.schema.names)
    if name == "names":
        assert [column[0].as_py() for column in table.columns] == [1, 2, 3, 2]
        return  # JSON has one member of a name
    lines = cluster.run("sql", "--cluster", f"df://{at}", "--format", "json", "-e", STATEMENTS[name]).splitlines()
    theirs = [json.loads(line, parse_float=decimal.Decimal) for line in lines]
    columns = list(zip(table.schema.names, table.schema.types, table.columns))
    values = [[plain(value.as_py(), kind) for value in column] for _, kind, column in columns]
    ours = [{name: value for (name, _, _), value in zip(columns, row) if value is not None} for row in zip(*values)]
    assert len(ours) == len(theirs)
    wrong = [(one, other) for one, other in zip(ours, theirs) if not same(one, other)]
    assert wrong == []


def test_types_are_sparks(cursor):
    cursor.execute(STATEMENTS["decimals"])
    assert [str(kind) for kind in cursor.fetch_arrow_table().schema.types] == [
        "decimal128(10, 2)", "decimal128(38, 10)", "decimal128(6, 3)", "decimal128(5, 5)"]
    cursor.execute(STATEMENTS["times"])
    assert [str(kind) for kind in cursor.fetch_arrow_table().schema.types] == ["date32[day]", "timestamp[us, tz=UTC]", "timestamp[us]"]


def test_a_prepared_statement_tells_its_columns_and_runs_again(cluster):
    with connected(cluster) as connection, connection.cursor() as cursor:
        statement = cursor.adbc_statement
        statement.set_sql_query("SELECT id, CAST(id AS STRING) AS s FROM range(3)")
        statement.prepare()
        schema = pyarrow.schema(statement.execute_schema())
        assert [(field.name, str(field.type)) for field in schema] == [("id", "int64"), ("s", "string")]
        for _ in range(2):
            stream, _ = statement.execute_query()
            assert pyarrow.RecordBatchReader._import_from_c(stream.address).read_all().num_rows == 3


def test_a_session_is_that_of_a_connection(cluster):
    with connected(cluster) as one, connected(cluster) as other:
        with one.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY VIEW mine AS SELECT id, id * 2 AS twice FROM range(4)")
            cursor.execute("SELECT sum(twice) AS s FROM mine;")
            assert cursor.fetchone() == (12,)
        assert one.adbc_get_table_schema("mine", db_schema_filter="").names == ["id", "twice"]
        with other.cursor() as cursor, pytest.raises(adbc_driver_manager.Error) as error:
            cursor.execute("SELECT * FROM mine")
        assert "TABLE_OR_VIEW_NOT_FOUND" in str(error.value)


def test_who_has_no_token_gets_nothing(cluster):
    basic = base64.b64encode(f"ada:{TOKEN}".encode()).decode()
    for header in (f"Bearer {TOKEN}", f"Basic {basic}"):
        with connected(cluster, header) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
    with connected(cluster, None, username="ada", password=TOKEN) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 2")
        assert cursor.fetchone() == (2,)
    wrong = [{"header": None}, {"header": "Bearer wrong-wrong-wrong-wrong"}, {"header": f"Bearer {TOKEN}x"},
             {"header": None, "username": "ada", "password": "wrong-wrong-wrong"}]
    for options in wrong:
        with pytest.raises(adbc_driver_manager.Error) as error:
            with connected(cluster, **options) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        assert error.value.status_code == adbc_driver_manager.AdbcStatusCode.UNAUTHENTICATED, options


def test_errors_have_sparks_classes(cursor):
    status = adbc_driver_manager.AdbcStatusCode
    for text, code, said in [
        ("SELECT * FROM nowhere", status.NOT_FOUND, "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nowhere` cannot be found"),
        ("SELECT missing FROM range(3)", status.INVALID_ARGUMENT, "[UNRESOLVED_COLUMN"),
        ("SELECT 1 FROM (", status.INVALID_ARGUMENT, "[PARSE_SYNTAX_ERROR]"),
        ("SELECT 1; SELECT 2", status.INVALID_ARGUMENT, "more than one statement"),
        ("  ", status.INVALID_ARGUMENT, "no statement"),
    ]:
        with pytest.raises(adbc_driver_manager.Error) as error:
            cursor.execute(text)
        assert (error.value.status_code, said in str(error.value)) == (code, True), str(error.value)
    cursor.execute("SET spark.sql.ansi.enabled=true")
    with pytest.raises(adbc_driver_manager.Error) as error:
        cursor.execute("SELECT 1 / (id - 5) AS v FROM range(10)")
        cursor.fetch_arrow_table()
    assert "[DIVIDE_BY_ZERO]" in str(error.value)
    cursor.execute("SELECT 1")  # the session goes on
    assert cursor.fetchone() == (1,)


def test_a_large_result_is_streamed(cluster, cursor):
    rows, width = 2_000_000, 400
    cursor.execute(f"SELECT id, repeat(CAST(id % 10 AS STRING), {width}) AS text FROM range({rows})")
    before = cluster.scheduler.peak_rss()
    seen = total = size = 0
    for batch in cursor.fetch_record_batch():
        seen += batch.num_rows
        size += batch.nbytes
        total += pyarrow.compute.sum(batch.column("id")).as_py()
    assert (seen, total) == (rows, rows * (rows - 1) // 2)
    grown = cluster.scheduler.peak_rss() - before
    assert size > 700 << 20 and grown < size // 4, f"{size} bytes came, the scheduler grew by {grown}"


def test_a_statement_is_cancelled_and_ends_at_the_executor(cluster, cursor):
    api = cluster.mock_api()
    cursor.execute(f"""CREATE TEMPORARY FUNCTION slow(id BIGINT) RETURNS STRUCT<score: DOUBLE> USING API OPTIONS (
        endpoint '{api}', quota 'cancelled', rate_limit_calls '1', rate_limit_period '1 hour')""")
    ended = []

    def read():
        try:
            cursor.execute("SELECT slow(id).score AS score FROM range(10)")
            cursor.fetch_arrow_table()
        except adbc_driver_manager.Error as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    running = lambda: sum(executor["running"] for executor in cluster.ask("/api/v1/executors")["executors"])
    until(running)
    cursor.adbc_cancel()
    reader.join(30)
    assert [error.status_code for error in ended] == [adbc_driver_manager.AdbcStatusCode.CANCELLED]
    until(lambda: running() == 0)
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)


def test_what_writes_is_done_and_what_is_not_done_is_named(cluster, cursor, tmp_path):
    statement = cursor.adbc_statement
    statement.set_sql_query(f"INSERT OVERWRITE DIRECTORY '{tmp_path}/out' USING json SELECT id FROM range(25)")
    assert statement.execute_update() == 25
    assert (tmp_path / "out" / "_SUCCESS").exists()
    statement.set_sql_query("CREATE TEMPORARY VIEW v AS SELECT 1 AS one")
    assert statement.execute_update() == 0
    statement.set_sql_query("SELECT 1")
    with pytest.raises(adbc_driver_manager.Error, match="execute it as a query"):
        statement.execute_update()
    with pytest.raises(adbc_driver_manager.NotSupportedError, match="rows cannot be uploaded"):
        cursor.adbc_ingest("t", pyarrow.table({"a": [1]}))
    with pytest.raises(adbc_driver_manager.Error, match="no parameters|PARSE_SYNTAX_ERROR|UNBOUND"):
        cursor.execute("SELECT ?", (1,))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        connect(cluster.flight, db_kwargs={DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {TOKEN}"}).close()
    assert any("autocommit" in str(warning.message) for warning in told)  # there are no transactions


def test_what_there_is_can_be_listed(cluster):
    with connected(cluster) as connection:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (a INT, b STRING)")
            cursor.execute("CREATE DATABASE other")
            cursor.execute("CREATE TEMPORARY VIEW v AS SELECT 1.5BD AS c")
        info = connection.adbc_get_info()
        assert (info["vendor_name"], info["vendor_arrow_version"]) == ("Paceline", "1.5")
        assert connection.adbc_get_table_types() == ["TABLE", "VIEW"]
        [catalog] = connection.adbc_get_objects(depth="columns").read_all().to_pylist()
        assert catalog["catalog_name"] == "spark_catalog"
        found = {
            (schema["db_schema_name"], table["table_name"], table["table_type"]): [column["column_name"] for column in table["table_columns"]]
            for schema in catalog["catalog_db_schemas"] for table in schema["db_schema_tables"]
        }
        assert found == {("default", "t", "TABLE"): ["a", "b"], ("", "v", "VIEW"): ["c"]}
        schemas = {schema["db_schema_name"] for schema in catalog["catalog_db_schemas"]}
        assert schemas == {"", "default", "global_temp", "other"}


def test_with_a_certificate_it_speaks_tls_and_runs_in_the_scheduler_where_jobs_do(tmp_path):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=paceline", "-addext", "subjectAltName=IP:127.0.0.1",
               "-addext", "basicConstraints=critical,CA:FALSE", "-days", "1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PACELINE_")}
    env |= {"XDG_STATE_HOME": str(tmp_path / "state"), "PACELINE_TOKEN": TOKEN}
    tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-ca", "cert.pem"]
    scheduler = Process(tmp_path, ["scheduler", "--bind", "127.0.0.1:0", "--run-jobs", "embedded", *tls], env)
    try:
        uri = scheduler.says("flight")
        assert uri.startswith("grpc+tls://")
        options = {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {TOKEN}", DatabaseOptions.TLS_ROOT_CERTS.value: (tmp_path / "cert.pem").read_text()}
        with connect(uri, db_kwargs=options, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM range(0, 100000, 1, 8)")
            assert cursor.fetch_arrow_table().column("id").to_pylist() == list(range(100000))  # in the order of the partitions
        with pytest.raises(adbc_driver_manager.Error):
            with connect(uri.replace("+tls", ""), db_kwargs=options, autocommit=True) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    finally:
        scheduler.kill()
