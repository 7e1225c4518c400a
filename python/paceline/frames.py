"""Frames of other libraries: how the engine reads them, and how its rows become one of them again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable

from paceline.errors import ConfigurationError

if TYPE_CHECKING:
    from paceline.dataframe import DataFrame


def opener(frame: Any) -> Callable[[], object]:
    """What gives an object with `__arrow_c_stream__` each time the rows of `frame` are read.

    Rows of pandas and PySpark become Arrow's now; all others stay where they are, and are read when a statement needs them.
    """
    kind = kind_of(frame)
    if kind == "pandas":
        table = _pyarrow("a pandas DataFrame").Table.from_pandas(frame, preserve_index=False)
        return lambda: table
    if kind == "pyspark":
        table = _of_spark(frame)
        return lambda: table
    if kind == "pyarrow":
        pyarrow = _pyarrow("Arrow")
        if isinstance(frame, pyarrow.RecordBatchReader):
            frame = frame.read_all()  # which can be read once only
        elif isinstance(frame, pyarrow.RecordBatch):
            frame = pyarrow.Table.from_batches([frame])
        elif isinstance(frame, pyarrow.dataset.Dataset if "pyarrow.dataset" in sys.modules else ()):
            return lambda: frame.scanner().to_reader()
    if kind == "polars" and not hasattr(frame, "__arrow_c_stream__"):
        collect: Callable[[], object] = frame.collect  # of a LazyFrame
        return collect
    if not hasattr(frame, "__arrow_c_stream__"):
        raise ConfigurationError(
            f"{type(frame).__module__}.{type(frame).__qualname__} is no frame: give one of pandas, Arrow, Polars, PySpark or datafusion, "
            "or any object with __arrow_c_stream__"
        )
    return lambda: frame


def kind_of(frame: Any) -> str:
    """The library that a frame is of: `pandas`, `pyspark`, `polars`, `pyarrow`, `datafusion`, `paceline`; otherwise `arrow`."""
    module = type(frame).__module__.split(".")[0]
    return module if module in ("pandas", "pyspark", "polars", "pyarrow", "datafusion", "paceline") else "arrow"


def as_kind_of(frame: Any, answers: DataFrame) -> Any:
    """Rows as a frame of the library that `frame` is of; those of other libraries are Arrow's."""
    kind = kind_of(frame)
    if kind == "pandas":
        return answers.to_pandas()
    if kind == "pyspark":
        session = frame.sparkSession
        return session.createDataFrame([tuple(row) for row in answers.collect()], schema=answers.schema.ddl())
    if kind == "polars":
        import polars

        made: Any = polars.DataFrame(answers.to_arrow())
        return made.lazy() if type(frame).__name__ == "LazyFrame" else made
    if kind == "datafusion":
        return answers.to_datafusion()
    if kind == "paceline":
        return answers
    return answers.to_arrow()


def rows_of(frame: Any) -> int | None:
    """How many rows a frame has, where that is known without reading it."""
    try:
        return len(frame) if kind_of(frame) in ("pandas", "pyarrow", "polars") else None
    except TypeError:
        return None


def _of_spark(frame: Any) -> Any:
    pyarrow = _pyarrow("a PySpark DataFrame")
    if hasattr(frame, "toArrow"):
        return frame.toArrow()
    # Spark 3.5 brings its rows as Arrow's for toPandas(), which would lose types.
    from pyspark.sql.pandas.types import to_arrow_schema

    return pyarrow.Table.from_batches(frame._collect_as_arrow(), schema=to_arrow_schema(frame.schema))


def _pyarrow(what: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ConfigurationError(f"{what} needs pyarrow: pip install pyarrow") from None
    return pyarrow
