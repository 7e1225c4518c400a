"""A row: a tuple whose values have names."""

from __future__ import annotations

from typing import Any, Callable


class Row(tuple[Any, ...]):
    """A row, as Spark has it.

    >>> row = Row.of(("id", "email"))((1, "a@example.com"))
    >>> row
    Row(id=1, email='a@example.com')
    >>> row.email, row["id"], row[0], row.as_dict()
    ('a@example.com', 1, 1, {'id': 1, 'email': 'a@example.com'})
    """

    __fields__: tuple[str, ...]

    @staticmethod
    def of(names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], Row]:
        """What makes a row with these names of its values."""

        def make(values: tuple[Any, ...]) -> Row:
            row = Row(values)
            row.__fields__ = names
            return row

        return make

    def as_dict(self, recursive: bool = False) -> dict[str, Any]:
        """The values by their names; of two fields of one name the last one stays."""
        value = _plain if recursive else (lambda value: value)
        return {name: value(item) for name, item in zip(self.__fields__, self)}

    asDict = as_dict

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return super().__getitem__(self._place(key))
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a row with the fields {', '.join(self.__fields__)} has no '{name}'") from None

    def __contains__(self, name: object) -> bool:
        return name in self.__fields__

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={value!r}' for name, value in zip(self.__fields__, self))})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.__fields__, tuple(self))

    def _place(self, name: str) -> int:
        try:
            return self.__fields__.index(name)
        except ValueError:
            raise KeyError(name) from None


def _again(names: tuple[str, ...], values: tuple[Any, ...]) -> Row:
    return Row.of(names)(values)


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return value.as_dict(recursive=True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
