"""The classic job in one call: every record goes to an API, and comes back with the answer's columns beside its own."""

from __future__ import annotations

import json
import os
from typing import Any, Mapping
from urllib.parse import urlsplit

from paceline import frames
from paceline.dataframe import DataFrame
from paceline.errors import ConfigurationError
from paceline.progress import Wanted
from paceline.session import Session, _columns, _text

VIEW = "__records"
# The engine never has more in flight by itself, and mostly fewer.
AUTOMATIC_MOST = 10_000
PORTS = {"http": 80, "https": 443}
# Other files than CSV are for SQL, which says how they are read.
OTHER_FORMATS = (".parquet", ".json", ".jsonl", ".orc", ".avro", ".xml")


def process(
    data: Any,
    endpoint: str,
    *,
    output: str | os.PathLike[str] | None = None,
    returns: str | Mapping[str, str] | None = None,
    format: str = "record",
    batch_size: int = 1000,
    max_workers: int = 20,
    rate_limit_calls: int | str = 5000,
    rate_limit_period: float | str = 1,
    quota: str | None = None,
    chunk_size: int = 8192,
    on_error: str = "null",
    session: Session | None = None,
    conf: Mapping[str, Any] | None = None,
    cluster: str | None = None,
    progress: Wanted = "auto",
    job_id: str | None = None,
    **options: Any,
) -> Any:
    """Sends every record to `endpoint`, at no more than `rate_limit_calls` per `rate_limit_period` seconds, retries included.

    `data` is a frame of pandas, PySpark, Polars, Arrow or datafusion, and the answers come back as one of the same library, in the order
    of the records; or it is the path of a CSV file with a header, as `s3://bucket/records.csv`, whose answers are written to the
    folder `output` as Parquet (default: `s3://bucket/output/<name>/`), for data of any size. Then what comes back is the report of
    the job.

    An answer that is an object becomes a column for each of its fields. `returns` declares them, as `{"status": "STRING"}`; without it the
    first 100 answers decide. With `format="array"` a request has `batch_size` records, otherwise one; `max_workers` requests, or as
    many records as they have, are in flight at most. A record of a frame that has no answer in the end has NULL there, and why in the
    column `_error`; with `on_error="fail"` it ends the call. Records of a file go to the dead letters beside the output. `options`
    are further ones of API functions, as `timeout="10 seconds"` or `auth="bearer"`.

    The limit is that of `endpoint`: its quota is named by the URL without the query, and calls of other endpoints are counted for
    themselves. Where an API counts several endpoints together, give each the same `quota`, as `"vendor"`; whoever names one states the
    same limits.

    Settings and cluster are those of `session`, or of a new one with `conf` and `cluster`.
    """
    workers = _positive("max_workers", max_workers)
    most: int | None = workers if format == "array" else workers * _positive("batch_size", batch_size)
    if most is not None and most >= AUTOMATIC_MOST:
        most = None
    session = session or Session({"paceline.batch.rows": _positive("chunk_size", chunk_size), **(conf or {})}, cluster, progress)
    quota = quota_of(endpoint) if quota is None else quota
    kind = f"STRUCT<{_columns(returns, ': ')}>" if isinstance(returns, Mapping) else returns
    if isinstance(data, (str, os.PathLike)):
        if options:
            raise ConfigurationError(f"for files, options of the API are settings: conf={{'paceline.api.enrich.{next(iter(options))}': …}}")
        requests, pace = (format, batch_size, most), (rate_limit_calls, rate_limit_period)
        return _file(
            os.fspath(data),
            output=output,
            endpoint=endpoint,
            session=session,
            returns=kind,
            job_id=job_id,
            requests=requests,
            rate_limit=pace,
            quota=quota,
            chunk_size=chunk_size,
        )
    if output is not None:
        raise ConfigurationError("output is for files; rows of a frame come back as a frame")
    function = {
        "endpoint": endpoint,
        "format": format,
        "batch_size": batch_size,
        "max_in_flight": most,
        "rate_limit_calls": rate_limit_calls,
        "rate_limit_period": rate_limit_period,
        "quota": quota,
        "on_error": on_error,
        **options,
    }
    session.register(VIEW, data)
    rows = frames.rows_of(data)
    with session._shown(rows) as shown:
        given = [(key, _text(value)) for key, value in function.items() if value is not None]
        query = session._native.answered(VIEW, given, kind, shown)
    return frames.as_kind_of(data, _Answers(session, query, rows))


def quota_of(endpoint: str) -> str:
    """The name of an endpoint's quota: the same for each way to write the URL, and without the query, which may differ with each call.

    The path is part of it, as endpoints of one host may have limits of their own.
    """
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:  # the engine says what is wrong with the endpoint
        return endpoint
    host = url.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    if port not in (None, PORTS.get(url.scheme)):
        shown += f":{port}"
    return f"{url.scheme}://{shown}{url.path or '/'}"


class _Answers(DataFrame):
    """The answers of so many rows, if that is known, for a bar that knows its end."""

    def __init__(self, session: Session, query: str, rows: int | None) -> None:
        super().__init__(session, session._native.sql(query))
        self._expected = rows

    def _rows(self, rows: int | None = None) -> Any:
        return super()._rows(self._expected)


def _file(
    path: str,
    *,
    output: str | os.PathLike[str] | None,
    endpoint: str,
    session: Session,
    returns: str | None,
    job_id: str | None,
    requests: tuple[str, int, int | None],
    rate_limit: tuple[int | str, float | str],
    quota: str,
    chunk_size: int,
) -> dict[str, Any]:
    name = path.rstrip("/").rsplit("/", 1)[-1]
    if name.lower().removesuffix(".gz").endswith(OTHER_FORMATS):
        raise ConfigurationError(
            f"'{path}' is no CSV file: read it with SQL, and give process() the rows: session.table('parquet.`{path}`')"
        )
    if output is None:
        bucket = path.split("/")[2] if path.startswith(("s3://", "s3a://")) else None
        if bucket is None:
            raise ConfigurationError("output is missing: the folder that the answers of a file are written to")
        output = f"s3://{bucket}/output/{name.split('.')[0] or name}/"
    format, batch_size, most = requests
    calls, period = (_text(value) for value in rate_limit)
    with session._shown() as shown:
        report = session._native.enrich(
            path, os.fspath(output), endpoint, format, batch_size, most, (calls, period), quota, chunk_size, returns, job_id, shown
        )
    done: dict[str, Any] = json.loads(report)
    return done


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ConfigurationError(f"{name} is {value}, expected a whole number above zero")
    return value
