"""Writes rows to files, under the names of Spark's writer."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from paceline.errors import ConfigurationError

if TYPE_CHECKING:
    from paceline._native import NativeQuery
    from paceline.session import Session

MODES = ("append", "overwrite", "ignore", "error", "errorifexists", "default")


class Written(NamedTuple):
    """What was written."""

    records_read: int
    records_written: int
    records_failed: int
    """Rows in the dead letters."""


class DataFrameWriter:
    """Writes the rows of a DataFrame. Nothing is visible before all of it is there, and `_SUCCESS` comes last.

    >>> import paceline, tempfile
    >>> session = paceline.Session()
    >>> folder = tempfile.mkdtemp()
    >>> session.sql("SELECT id FROM range(5)").write.mode("overwrite").parquet(folder)
    Written(records_read=0, records_written=5, records_failed=0)
    >>> session.sql(f"SELECT count(*) AS rows FROM parquet.`{folder}`").collect()
    [Row(rows=5)]
    """

    def __init__(self, session: Session, query: NativeQuery) -> None:
        self._session = session
        self._query = query
        self._mode = "error"
        self._format = "parquet"
        self._options: dict[str, str] = {}

    def mode(self, mode: str) -> DataFrameWriter:
        """What becomes of files that are there: append, overwrite, ignore (nothing is written) or error, which is the default."""
        if mode.lower() not in MODES:
            raise ConfigurationError(f"the mode is '{mode}', expected {', '.join(MODES)}")
        self._mode = mode.lower()
        return self

    def format(self, format: str) -> DataFrameWriter:
        """parquet, csv, json, text, orc or avro."""
        self._format = format.lower()
        return self

    def option(self, key: str, value: Any) -> DataFrameWriter:
        """An option of the format, as `header` of csv."""
        self._options[key] = _text(value)
        return self

    def options(self, **options: Any) -> DataFrameWriter:
        """Several of them."""
        for key, value in options.items():
            self.option(key, value)
        return self

    def partitionBy(self, *columns: str) -> DataFrameWriter:
        """Columns that become folders."""
        return self.option("partitionBy", ",".join(columns))

    def save(self, path: str) -> Written:
        """Writes to a folder, a path or URL."""
        if self._mode in ("ignore", "error", "errorifexists", "default") and self._session._native.has_files(path):
            if self._mode == "ignore":
                return Written(0, 0, 0)
            raise ConfigurationError(f"there are files at {path}; write with .mode('overwrite') or .mode('append')")
        with self._session._shown() as progress:
            return Written(
                *self._query.write(
                    path,
                    self._format,
                    list(self._options.items()),
                    self._mode != "append",
                    f"python-{uuid.uuid4()}",
                    progress,
                )
            )

    def parquet(self, path: str, **options: Any) -> Written:
        """Writes Parquet files."""
        return self.format("parquet").options(**options).save(path)

    def csv(self, path: str, **options: Any) -> Written:
        """Writes CSV files."""
        return self.format("csv").options(**options).save(path)

    def json(self, path: str, **options: Any) -> Written:
        """Writes files of an object a line."""
        return self.format("json").options(**options).save(path)

    def orc(self, path: str, **options: Any) -> Written:
        """Writes ORC files."""
        return self.format("orc").options(**options).save(path)

    def text(self, path: str, **options: Any) -> Written:
        """Writes the one column, a string, as lines."""
        return self.format("text").options(**options).save(path)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
