"""Frames of other libraries become views, and rows become frames of theirs."""

import datafusion
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pytest

import paceline
from paceline import Session

ROWS = {"id": [1, 2, 3], "name": ["a", None, "c"]}


@pytest.fixture
def session():
    return Session()


def answered(session):
    return [tuple(row) for row in session.sql("SELECT id, upper(name) FROM frame WHERE id > 1 ORDER BY id").collect()]


@pytest.mark.parametrize(
    "make",
    [
        pandas.DataFrame,
        lambda rows: pandas.DataFrame(rows).convert_dtypes(),
        polars.DataFrame,
        polars.LazyFrame,
        pyarrow.table,
        lambda rows: pyarrow.table(rows).to_batches()[0],
        lambda rows: pyarrow.table(rows).to_reader(),
        lambda rows: pyarrow.dataset.dataset(pyarrow.table(rows)),
        lambda rows: datafusion.SessionContext().from_pydict(rows),
        lambda rows: pyarrow.table({name: pyarrow.array(values).dictionary_encode() for name, values in rows.items()}),
    ],
    ids=["pandas", "pandas-nullable", "polars", "polars-lazy", "table", "batch", "reader", "dataset", "datafusion", "dictionaries"],
)
def test_frames_are_views(session, make):
    session.register("frame", make(ROWS))
    assert answered(session) == [(2, None), (3, "C")]
    assert answered(session) == [(2, None), (3, "C")], "again, also of what can be read once only"
    session.register("frame", make({"id": [7], "name": ["x"]}))
    assert answered(session) == [(7, "X")]


def test_a_dataframe_is_a_view_of_another_session_and_of_its_own(session):
    other = Session()
    session.register("frame", other.sql("SELECT id, 'x' AS name FROM range(4)"))
    assert answered(session) == [(2, "X"), (3, "X")]
    session.sql("SELECT 5 AS id, 'y' AS name").createOrReplaceTempView("own")
    assert session.sql("SELECT name FROM own").collect()[0].name == "y"


def test_types_of_other_libraries_become_sparks(session):
    table = pyarrow.table(
        {
            "u64": pyarrow.array([2**64 - 1], pyarrow.uint64()),
            "large": pyarrow.array(["x"], pyarrow.large_string()),
            "ns": pyarrow.array([1_700_000_000_000_000_001], pyarrow.timestamp("ns")),
            "list": pyarrow.array([[1]], pyarrow.large_list(pyarrow.int8())),
            "struct": pyarrow.array([{"a": None}], pyarrow.struct({"a": pyarrow.string_view()})),
        }
    )
    session.register("t", table)
    schema = "struct<u64:decimal(20,0),large:string,ns:timestamp_ntz,list:array<tinyint>,struct:struct<a:string>>"
    assert session.sql("SELECT * FROM t").schema.simpleString() == schema
    [row] = session.sql("SELECT u64, list[0] AS first, struct.a AS a FROM t").collect()
    assert (int(row.u64), row.first, row.a) == (2**64 - 1, 1, None)


def test_what_is_no_frame_is_refused(session):
    with pytest.raises(paceline.ConfigurationError, match="is no frame"):
        session.register("t", [1, 2])
    month = pyarrow.array([1], pyarrow.time64("ns"))
    with pytest.raises(paceline.SqlError, match="Unsupported data type"):
        session.register("t", pyarrow.table({"time": month}))


def test_a_frame_that_cannot_be_read_says_why(session):
    class Broken:
        reads = 0

        def __arrow_c_stream__(self, requested_schema=None):
            self.reads += 1
            if self.reads > 1:
                raise RuntimeError("the source is gone")
            return pyarrow.table(ROWS).__arrow_c_stream__()

    session.register("frame", Broken())
    with pytest.raises(paceline.QueryError, match="the source is gone"):
        session.sql("SELECT * FROM frame").collect()


def test_rows_are_frames_of_others(session):
    df = session.sql("SELECT id, 'x' AS name FROM range(3)")
    assert df.to_pandas().equals(pandas.DataFrame({"id": [0, 1, 2], "name": ["x"] * 3}).astype(df.toPandas().dtypes))
    assert polars.DataFrame(df).rows() == [(0, "x"), (1, "x"), (2, "x")]
    assert pyarrow.table(df).to_pylist() == df.to_arrow().to_pylist()


def test_pandas_without_pyarrow(session, monkeypatch):
    df = session.sql("SELECT 1 AS a, NULL AS b")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert df.to_pandas().to_dict("list") == {"a": [1], "b": [None]}
    with pytest.raises(paceline.ConfigurationError, match="pip install"):
        df.to_arrow()


def test_a_dataframe_of_datafusion_is_lazy_and_takes_filters(session):
    counted = []

    class Source:
        def __arrow_c_stream__(self, requested_schema=None):
            counted.append(1)
            return pyarrow.table({"a": [1, 2, 3], "b": ["x", "y", "z"]}).__arrow_c_stream__()

    session.register("source", Source())
    counted.clear()
    df = session.sql("SELECT a, b FROM source").to_datafusion()
    filtered = df.filter(datafusion.col("a") > 1).select(datafusion.col("b"))
    assert isinstance(filtered, datafusion.DataFrame) and counted == [], "nothing is read before it is carried out"
    assert filtered.to_pydict() == {"b": ["y", "z"]}
    assert len(counted) == 1
    session.register("back", filtered)
    assert [row.b for row in session.sql("SELECT upper(b) AS b FROM back ORDER BY b").collect()] == ["Y", "Z"]


def test_datafusion_joins_and_registers_it(session):
    context = datafusion.SessionContext()
    context.register_table("numbers", session.sql("SELECT id, id * id AS square FROM range(5)"))
    assert context.sql("SELECT sum(square) AS s FROM numbers WHERE id > 2").to_pydict() == {"s": [25]}
    many = session.sql("SELECT id FROM range(100000)").to_datafusion(context)
    assert many.count() == 100_000


def test_errors_reach_datafusion(session):
    broken = Session(conf={"spark.sql.ansi.enabled": "true"}).sql("SELECT 1 / id AS x FROM range(2)").to_datafusion()
    with pytest.raises(Exception, match="Division by zero"):
        broken.collect()
