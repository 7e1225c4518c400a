"""A session: views, API functions and settings of one user, and the statements that use them."""

from __future__ import annotations

import resource
import warnings
from contextlib import AbstractContextManager
from typing import Any, Callable, Mapping, Sequence, Union

from paceline import frames, progress
from paceline._native import NativeSession, function_options
from paceline.dataframe import DataFrame
from paceline.errors import ConfigurationError
from paceline.schema import quoted

Columns = Union[str, Mapping[str, str], Sequence[tuple[str, str]]]
"""Columns with their types: `{"id": "BIGINT"}`, `[("id", "BIGINT")]` or `"id BIGINT"`."""

# A request in flight is an open connection, and shells allow 1,024 files where the system allows many more.
OPEN_FILES = 65_536


class Session:
    """Carries out SQL, in this process or on a cluster.

    `conf` are settings as `--conf` of the command line takes them, Spark's too. `cluster` is where plans run: `None` for this process, a
    URL as `df://127.0.0.1:50050`, or `"auto"` for the cluster that the setting `paceline.cluster.auto` or `PACELINE_CLUSTER` names, if
    it answers, else this process; where it does not answer, a warning says so. `progress` says whether a bar of tqdm shows how far API
    functions are: `"auto"` where somebody can see it.

    >>> import paceline
    >>> session = paceline.Session(conf={"spark.sql.ansi.enabled": True})
    >>> session.sql("SELECT 1 + 1 AS two").collect()
    [Row(two=2)]
    """

    def __init__(
        self,
        conf: Mapping[str, Any] | None = None,
        cluster: str | None = None,
        progress: progress.Wanted = "auto",
    ) -> None:
        _raise_open_files()
        self._progress = progress
        self._native = NativeSession([(key, _text(value)) for key, value in (conf or {}).items()], cluster)
        for warning in self._native.warnings():
            warnings.warn(warning, stacklevel=2)

    def sql(self, query: str) -> DataFrame:
        """The rows of a query, which is planned now and carried out when they are asked for; a command is carried out now.

        >>> import paceline
        >>> session = paceline.Session()
        >>> session.sql("CREATE TEMPORARY VIEW numbers AS SELECT id FROM range(4)").collect()
        []
        >>> session.sql("SELECT sum(id) AS total FROM numbers").collect()
        [Row(total=6)]
        """
        with self._shown() as progress:
            return DataFrame(self, self._native.sql(query, progress))

    def table(self, name: str) -> DataFrame:
        """The rows of a view or table, as `records` or `parquet.`/path/``."""
        return self.sql(f"SELECT * FROM {name}")

    def register(self, name: str, frame: Any) -> None:
        """Shows a frame of pandas, Arrow, Polars, PySpark or datafusion, or a DataFrame of Paceline, as a temporary view.

        >>> import pandas, paceline
        >>> session = paceline.Session()
        >>> session.register("people", pandas.DataFrame({"name": ["Ada", "Alan"], "born": [1815, 1912]}))
        >>> session.sql("SELECT name FROM people WHERE born < 1900").collect()
        [Row(name='Ada')]
        """
        self._native.register(name, frames.opener(frame))

    def api_function(
        self, name: str, args: Columns, returns: str | Mapping[str, str], *, endpoint: str, deterministic: bool = False, **options: Any
    ) -> None:
        """Declares a function of SQL that calls an HTTP API for each row, in place of an older one of that name.

        `returns` is the type of the reply, as `"STRUCT<status: STRING>"`, or the fields of a struct. `options` are those of
        `CREATE FUNCTION … USING API`, as `rate_limit_calls=5000`, `rate_limit_period="1 second"`, `format="array"` or
        `on_error="null"`; the guide has them all.

        >>> import paceline
        >>> session = paceline.Session()
        >>> session.api_function("enrich", {"id": "BIGINT", "email": "STRING"}, {"status": "STRING", "score": "DOUBLE"},
        ...                      endpoint="https://api.example.com/process", rate_limit_calls=5000)
        >>> session.sql("SELECT enrich(1, 'a@example.com') AS answer").schema
        struct<answer:struct<status:string,score:double>>
        """
        known = [known for known, _ in function_options()]
        for option in options:
            if option not in known:
                raise ConfigurationError(f"API functions have no option '{option}'; they have {', '.join(known)}")
        given = [("endpoint", endpoint), *options.items()]
        listed = ", ".join(f"{key} {_literal(_text(value))}" for key, value in given if value is not None)
        kind = returns if isinstance(returns, str) else f"STRUCT<{_columns(returns, ': ')}>"
        how = "DETERMINISTIC " if deterministic else ""
        self._native.sql(
            f"CREATE OR REPLACE TEMPORARY FUNCTION {quoted(name)}({_columns(args, ' ')}) RETURNS {kind} {how}USING API OPTIONS ({listed})"
        )

    @property
    def cluster(self) -> str | None:
        """The URL of the cluster that plans run on; `None` for this process.

        >>> import paceline
        >>> print(paceline.Session().cluster)
        None
        """
        return self._native.cluster()

    def progress(self) -> dict[str, Any]:
        """The numbers of all calls of the session so far, as the report of a job has them."""
        import json

        numbers: dict[str, Any] = json.loads(self._native.progress())
        return numbers

    def _shown(self, rows: int | None = None) -> AbstractContextManager[Callable[[str], object] | None]:
        return progress.shown(self._progress, self._native.progress, rows)


def _columns(columns: Columns, between: str) -> str:
    if isinstance(columns, str):
        return columns
    pairs = columns.items() if isinstance(columns, Mapping) else columns
    return ", ".join(f"{quoted(name)}{between}{kind}" for name, kind in pairs)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
