"""What can go wrong, by what is to be done about it. The errors below an error are its `__cause__`, and that one's.

>>> import paceline
>>> try:
...     paceline.Session().sql("SELECT nothing")
... except paceline.SqlError as error:
...     print(error.error_class)
UNRESOLVED_COLUMN.WITHOUT_SUGGESTION
"""

from __future__ import annotations


class PacelineError(Exception):
    """Anything that Paceline raises of itself."""

    error_class: str | None
    """Spark's class of the error, where it has one for this."""

    def __init__(self, message: str, error_class: str | None = None) -> None:
        super().__init__(message)
        self.error_class = error_class


class ConfigurationError(PacelineError, ValueError):
    """A setting, option, argument or path must be changed."""


class SqlError(PacelineError):
    """A statement must be changed."""


class QueryError(PacelineError):
    """Rows could not be computed, as a division by zero with `spark.sql.ansi.enabled`."""


class ValidationError(PacelineError, ValueError):
    """Data is not as it was declared: a malformed record, a row that no request can carry, or a reply that is not of the type RETURNS."""


class S3ReadError(PacelineError, OSError):
    """Files could not be read, on S3 or elsewhere."""


class S3WriteError(PacelineError, OSError):
    """Files could not be written, on S3 or elsewhere."""


class APIError(PacelineError):
    """Calls of an API failed, and the job cannot go on without their answers."""


class APIConnectionError(APIError, ConnectionError):
    """There was no connection, or it broke."""


class APITimeoutError(APIError, TimeoutError):
    """There was no full reply in time."""


class RateLimitExceeded(APIError):
    """The API answered with status 429 each time."""


class CircuitBreakerError(APIError):
    """The request was not sent: the API had failed too often just before."""
