"""What a MySQL database consists of, as its own DESCRIBE would show it."""

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class Column:
    """One column.

    Attributes:
        name: As it was declared; names compare without case.
        type: MySQL's type in lower case, with its numbers: `varchar(20)`, `decimal(19,4)`.
        is_nullable: Whether it may hold NULL.
        key: "PRI", "UNI", "MUL" or empty.
        default: The default as text, None if it has none.
        extra: "auto_increment" or empty.
    """

    name: str
    type: str
    is_nullable: bool = field(default=True, kw_only=True)
    key: str = field(default="", kw_only=True)
    default: str | None = field(default=None, kw_only=True)
    extra: str = field(default="", kw_only=True)

    @property
    def data_type(self) -> str:
        """The type without its numbers."""
        return self.type.split("(", maxsplit=1)[0]

    @property
    def null(self) -> str:
        """Whether it may hold NULL, in MySQL's words: YES or NO."""
        return "YES" if self.is_nullable else "NO"


@frozen
class Table:
    """One table.

    Attributes:
        name: In lower case, as MySQL keeps it on most machines.
        columns: In their order.
        indexes: The lower-case names of the columns of each index, the primary key's first.
    """

    name: str
    columns: tuple[Column, ...]
    indexes: tuple[tuple[str, ...], ...] = ()


@frozen
class Database:
    """One database.

    Attributes:
        name: In lower case.
        tables: By lower-case name, in the dump's order.
    """

    name: str
    tables: Mapping[str, Table]
