"""The columns of a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, NamedTuple

if TYPE_CHECKING:
    from paceline._native import NativeQuery


class Field(NamedTuple):
    """A column."""

    name: str
    type: str
    """Spark's name of its type, as `array<int>`."""
    nullable: bool


class Schema:
    """The columns of a DataFrame. `pyarrow.schema(df.schema)` is the same in Arrow's types.

    >>> import paceline
    >>> schema = paceline.Session().sql("SELECT 1 AS a, 'x' AS b").schema
    >>> schema
    struct<a:int,b:string>
    >>> schema.names, schema["b"].type
    (['a', 'b'], 'string')
    """

    def __init__(self, query: NativeQuery) -> None:
        self._query = query
        self.fields = [Field(*column) for column in query.columns()]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [field.name for field in self.fields]

    def simpleString(self) -> str:
        """Spark's name of the type that a row has."""
        return f"struct<{','.join(f'{field.name}:{field.type}' for field in self.fields)}>"

    def ddl(self) -> str:
        """The columns as they are declared, as `a int, b string`, with their names in backquotes."""
        return ", ".join(f"{quoted(field.name)} {field.type}" for field in self.fields)

    def __arrow_c_schema__(self) -> object:
        return self._query.__arrow_c_schema__()

    def __getitem__(self, key: int | str) -> Field:
        if isinstance(key, int):
            return self.fields[key]
        found = [field for field in self.fields if field.name == key]
        if not found:
            raise KeyError(key)
        return found[0]

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash(tuple(self.fields))

    def __repr__(self) -> str:
        return self.simpleString()


def quoted(name: str) -> str:
    """A name in backquotes."""
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
