"""Rows of a query, computed when they are asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from paceline.errors import ConfigurationError
from paceline.row import Row
from paceline.schema import Schema
from paceline.writer import DataFrameWriter

if TYPE_CHECKING:
    import datafusion
    import pandas
    import pyarrow

    from paceline._native import NativeQuery, NativeRows
    from paceline.session import Session


class DataFrame:
    """The rows of a query. It is carried out each time they are asked for, as in Spark; its API functions are called each time too.

    Libraries that know Arrow's C stream interface take it as it is, as `polars.DataFrame(df)` and `pyarrow.table(df)` do. Rows are
    computed as they are taken, so a result may be larger than memory.

    >>> import paceline
    >>> df = paceline.Session().sql("SELECT id, id * 2 AS twice FROM range(3)")
    >>> df.count()
    3
    >>> df.collect()
    [Row(id=0, twice=0), Row(id=1, twice=2), Row(id=2, twice=4)]
    """

    def __init__(self, session: Session, query: NativeQuery) -> None:
        self._session = session
        self._query = query

    @property
    def schema(self) -> Schema:
        """The columns."""
        return Schema(self._query)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.schema.names

    @property
    def write(self) -> DataFrameWriter:
        """Writes the rows to files, as Spark's writer does."""
        return DataFrameWriter(self._session, self._query)

    def collect(self) -> list[Row]:
        """All rows. Timestamps with a time zone are in UTC; those without have none."""
        return self._rows().values(Row.of)

    def to_arrow(self) -> pyarrow.Table:
        """All rows as a table of pyarrow, which must be installed.

        >>> import paceline
        >>> paceline.Session().sql("SELECT 'x' AS a").to_arrow().to_pylist()
        [{'a': 'x'}]
        """
        try:
            import pyarrow
        except ImportError:
            raise ConfigurationError("to_arrow() needs pyarrow: pip install pyarrow") from None
        return pyarrow.table(self._rows())

    def to_pandas(self) -> pandas.DataFrame:
        """All rows as a DataFrame of pandas, which must be installed.

        >>> import paceline
        >>> paceline.Session().sql("SELECT 1 AS a, 'x' AS b").to_pandas()
           a  b
        0  1  x
        """
        try:
            import pandas
        except ImportError:
            raise ConfigurationError("to_pandas() needs pandas: pip install pandas pyarrow") from None
        try:
            # Column by column, so that the rows are not there twice.
            return self.to_arrow().to_pandas(split_blocks=True, self_destruct=True)
        except ConfigurationError:  # there is no pyarrow
            return pandas.DataFrame([tuple(row) for row in self.collect()], columns=self.columns)

    toPandas = to_pandas

    def to_datafusion(self, context: datafusion.SessionContext | None = None) -> datafusion.DataFrame:
        """The rows as a DataFrame of PyPI's datafusion, which reads them when it is carried out itself.

        A `context` must live as long as what is made of it; without one, a context that all such DataFrames share is taken.

        >>> import datafusion, paceline
        >>> df = paceline.Session().sql("SELECT * FROM VALUES (1), (2) AS rows(a)").to_datafusion()
        >>> df.filter(datafusion.col("a") > 1).to_pylist()
        [{'a': 2}]
        """
        if context is None:
            context = _context_of_all()
        return context.read_table(self)

    def show(self, n: int = 20, truncate: bool | int = True) -> None:
        """Prints the first `n` rows, as Spark does. `truncate` is the width of a column, or whether it is 20.

        >>> import paceline
        >>> paceline.Session().sql("SELECT id, 'a text that is rather long' AS text FROM range(2)").show(1)
        +---+--------------------+
        | id|                text|
        +---+--------------------+
        |  0|a text that is ra...|
        +---+--------------------+
        only showing top 1 row
        <BLANKLINE>
        """
        width = 20 if truncate is True else int(truncate)
        with self._session._shown() as progress:
            rows = self._query.text(n + 1, progress)
        table = [self.columns, *([_cell(value) for value in row] for row in rows[:n])]
        cells = [[_shortened(cell, width) for cell in row] for row in table]
        widths = [max(3, *(len(row[at]) for row in cells)) for at in range(len(cells[0]))]
        line = "+" + "+".join("-" * wide for wide in widths) + "+"
        align = str.rjust if width else str.ljust
        head, *body = ["|" + "|".join(align(cell, wide) for cell, wide in zip(row, widths)) + "|" for row in cells]
        print("\n".join([line, head, line, *body, line]))
        print(f"only showing top {n} row{'' if n == 1 else 's'}\n" if len(rows) > n else "")

    def count(self) -> int:
        """How many rows there are. API functions are called for it."""
        with self._session._shown() as progress:
            return self._query.count(progress)

    def limit(self, n: int) -> DataFrame:
        """The first rows.

        >>> import paceline
        >>> paceline.Session().sql("SELECT id FROM range(10)").limit(2).count()
        2
        """
        return DataFrame(self._session, self._query.limit(n))

    def createOrReplaceTempView(self, name: str) -> None:
        """Shows the rows as a view, which is computed anew by each statement that reads it."""
        self._session.register(name, self)

    def __arrow_c_schema__(self) -> object:
        return self._query.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._query.stream()

    def __datafusion_table_provider__(self, session: object) -> object:
        return self._query.table(session)

    def __repr__(self) -> str:
        return f"DataFrame[{', '.join(f'{field.name}: {field.type}' for field in self.schema)}]"

    def _rows(self, rows: int | None = None) -> NativeRows:
        with self._session._shown(rows) as progress:
            return self._query.collect(progress)


@cache
def _context_of_all() -> datafusion.SessionContext:
    # A table refers to its context weakly: one that nobody holds would be gone before the rows are read.
    import datafusion

    return datafusion.SessionContext()


def _cell(value: str | None) -> str:
    return "NULL" if value is None else value.replace("\n", "\\n").replace("\t", "\\t")


def _shortened(cell: str, width: int) -> str:
    if not width or len(cell) <= width:
        return cell
    return cell[:width] if width < 4 else cell[: width - 3] + "..."
