"""SQL jobs that call an HTTP API for every row, at a strict rate, and lose or repeat none.

>>> import paceline
>>> session = paceline.Session()
>>> session.sql("SELECT 1 AS one").collect()
[Row(one=1)]

Nothing is imported until it is asked for, so that `paceline.glue` works where the engine's extension is not installed.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any, List

# The wheels `paceline` and `paceline-glue` each bring a part of this package, perhaps to different folders of sys.path.
__path__ = extend_path(__path__, __name__)

if TYPE_CHECKING:
    from paceline.dataframe import DataFrame as DataFrame
    from paceline.errors import APIConnectionError as APIConnectionError
    from paceline.errors import APIError as APIError
    from paceline.errors import APITimeoutError as APITimeoutError
    from paceline.errors import CircuitBreakerError as CircuitBreakerError
    from paceline.errors import ConfigurationError as ConfigurationError
    from paceline.errors import PacelineError as PacelineError
    from paceline.errors import QueryError as QueryError
    from paceline.errors import RateLimitExceeded as RateLimitExceeded
    from paceline.errors import S3ReadError as S3ReadError
    from paceline.errors import S3WriteError as S3WriteError
    from paceline.errors import SqlError as SqlError
    from paceline.errors import ValidationError as ValidationError
    from paceline.processor import process as process
    from paceline.row import Row as Row
    from paceline.schema import Field as Field
    from paceline.schema import Schema as Schema
    from paceline.session import Session as Session
    from paceline.writer import DataFrameWriter as DataFrameWriter

# What there is, and where.
_PLACES = {
    "APIConnectionError": "errors",
    "APIError": "errors",
    "APITimeoutError": "errors",
    "CircuitBreakerError": "errors",
    "ConfigurationError": "errors",
    "DataFrame": "dataframe",
    "DataFrameWriter": "writer",
    "Field": "schema",
    "PacelineError": "errors",
    "QueryError": "errors",
    "RateLimitExceeded": "errors",
    "Row": "row",
    "S3ReadError": "errors",
    "S3WriteError": "errors",
    "Schema": "schema",
    "Session": "session",
    "SqlError": "errors",
    "ValidationError": "errors",
    "process": "processor",
}

__all__ = [*_PLACES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("paceline")
    if name not in _PLACES:
        raise AttributeError(f"module 'paceline' has no attribute '{name}'")
    value = getattr(import_module(f"paceline.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    return sorted([*globals(), *_PLACES])
