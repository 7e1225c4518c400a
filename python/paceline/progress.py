"""Progress of calls, as a bar of tqdm in terminals and notebooks."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Literal, Union

Wanted = Union[bool, Literal["auto"], Callable[[dict[str, Any]], object]]
"""Whether progress is shown: always, never, where somebody can see it, or by a function, which gets the numbers now and then."""


class Bar:
    """A bar that comes when the first row is called and goes with the statement."""

    def __init__(self, tqdm: Any, rows: int | None, before: dict[str, Any]) -> None:
        self._tqdm = tqdm
        self._rows = rows
        self._bar: Any = None
        self._before = _decided(before)  # in earlier statements of the session

    def show(self, numbers: dict[str, Any]) -> None:
        """Shows how far the calls are."""
        decided = _decided(numbers)
        if self._bar is None:
            if decided == self._before and numbers["in_flight"] == 0:
                return
            self._bar = self._tqdm(total=self._rows, unit=" records", dynamic_ncols=True)
        if self._rows is None and numbers.get("expected"):
            self._bar.total = numbers["expected"]
        self._bar.n = decided - self._before
        tell = {"requests/s": numbers["requests_per_s"], "in flight": numbers["in_flight"]}
        tell.update({name: numbers[name] for name in ("retries", "failed") if numbers[name]})
        if numbers["breaker_open"]:
            tell["breaker"] = "OPEN"
        self._bar.set_postfix(tell, refresh=True)

    def close(self, numbers: dict[str, Any]) -> None:
        """The last numbers stay where they are."""
        if self._bar is not None:
            self.show(numbers)
            self._bar.close()


@contextmanager
def shown(wanted: Wanted, last: Callable[[], str], rows: int | None = None) -> Iterator[Callable[[str], object] | None]:
    """What is called with the numbers as JSON while a statement runs. `last` gives them when it has ended."""
    if callable(wanted):
        tell = wanted
        yield lambda text: tell(json.loads(text))
        tell(json.loads(last()))
        return
    tqdm = _tqdm() if wanted is True or (wanted == "auto" and _seen()) else None
    if tqdm is None:
        yield None
        return
    bar = Bar(tqdm, rows, json.loads(last()))
    try:
        yield lambda text: bar.show(json.loads(text))
    finally:
        bar.close(json.loads(last()))


def _decided(numbers: dict[str, Any]) -> int:
    decided: int = max(numbers["replied"], numbers["answered"]) + numbers["failed"]
    return decided


def _seen() -> bool:
    return "ipykernel" in sys.modules or bool(sys.stderr and sys.stderr.isatty())


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
