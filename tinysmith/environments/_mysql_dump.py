"""Reads a MySQL 8 dump and keeps each of its databases as an SQLite image in memory.

Of the dump's statements only CREATE DATABASE, USE, CREATE TABLE and INSERT matter; all others are passed over.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from attrs import field, frozen

from tinysmith.environments._mysql_functions import register
from tinysmith.environments._mysql_schema import Column, Database, Table
from tinysmith.environments._mysql_tokens import Token, closing, split_at, string_value, tokens_of

Value: TypeAlias = str | int | float | None

_INT = ("int", "integer", "tinyint", "smallint", "mediumint", "bigint", "year", "bool", "boolean", "bit")
_INDEXES = ("PRIMARY", "UNIQUE", "KEY", "INDEX")
_KEYS = (*_INDEXES, "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK")


class DumpError(Exception):
    """The dump cannot be read; its text says what is wrong, without the place."""


@frozen
class LoadedDatabase:
    """One database of a dump.

    Attributes:
        schema: Its tables.
        image: SQLite's serialised form of tables and rows.
    """

    schema: Database
    image: bytes = field(repr=False)


@frozen
class _Draft:
    tables: dict[str, Table]
    rows: dict[str, list[list[Value]]]


def load_dump(dump: str) -> dict[str, LoadedDatabase]:
    """The databases of a dump, by lower-case name.

    Raises:
        DumpError: A statement that matters cannot be understood, or there is no database.
    """
    drafts: dict[str, _Draft] = {}
    current = ""
    for statement in _statements(tokens_of(dump)):
        words = [token.word for token in statement[:2]]
        if words == ["CREATE", "DATABASE"]:
            current = _last_name(statement)
            drafts.setdefault(current, _Draft({}, {}))
        elif words[0] == "USE":
            current = _last_name(statement)
        elif words in (["CREATE", "TABLE"], ["INSERT", "INTO"]):
            if current not in drafts:
                raise DumpError(f"a statement stands outside of any database: {_excerpt(statement)}")
            read = _read_table if words[0] == "CREATE" else _read_rows
            read(statement, drafts[current])
    if not drafts:
        raise DumpError("there is no CREATE DATABASE in it")
    return {name: _load(name, draft) for name, draft in drafts.items()}


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    statement: list[Token] = []
    for token in tokens:
        if token.text != ";":
            statement.append(token)
        elif statement:
            yield statement
            statement = []
    if statement:
        raise DumpError(f"it ends within a statement: {_excerpt(statement)}")


def _excerpt(statement: Sequence[Token]) -> str:
    return repr(" ".join(token.text for token in statement[:8])[:80])


def _last_name(statement: Sequence[Token]) -> str:
    return next((token.name for token in reversed(statement) if token.name), "")


def _read_table(statement: Sequence[Token], draft: _Draft) -> None:
    opening = next((i for i, token in enumerate(statement) if token.text == "("), len(statement))
    end = closing(statement, opening)
    name = _last_name(statement[:opening])
    if end == len(statement):
        raise DumpError(f"a table's columns cannot be read: {_excerpt(statement)}")
    parts = split_at(statement[opening + 1 : end], ",")
    indexes = [_index(part) for part in parts if part and part[0].text.upper() in _INDEXES]
    keys = _keys(indexes)
    columns = [_column(part, keys) for part in parts if part and part[0].text.upper() not in _KEYS]
    draft.tables[name] = Table(name, tuple(columns), tuple(names for _, names in indexes if names))
    draft.rows[name] = []


def _index(part: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    opening = next((i for i, token in enumerate(part) if token.text == "("), len(part))
    names = (token.name for token in part[opening : closing(part, opening)])
    return part[0].text.upper(), tuple(name for name in names if name)


def _keys(indexes: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """What DESCRIBE shows as the key of a column: PRI, else UNI, else MUL of an index's first column."""
    marks: dict[str, str] = {}
    for kind, names in indexes:
        if kind == "PRIMARY":
            marks |= dict.fromkeys(names, "PRI")
        elif names:
            marks.setdefault(names[0], "UNI" if kind == "UNIQUE" and len(names) == 1 else "MUL")
    return marks


def _column(part: Sequence[Token], keys: Mapping[str, str]) -> Column:
    if len(part) < 2 or part[0].kind != "name":
        raise DumpError(f"a column cannot be read: {_excerpt(part)}")
    end = closing(part, 2) + 1 if len(part) > 2 and part[2].text == "(" else 2
    words = [token.word for token in part]
    default = None
    if "DEFAULT" in words[:-1]:
        token = part[words.index("DEFAULT") + 1]
        default = string_value(token.text) if token.kind == "string" else token.text
    return Column(
        part[0].text.strip("`"),
        "".join(token.text for token in part[1:end]).lower(),
        is_nullable="NOT" not in words and keys.get(part[0].name) != "PRI",
        key=keys.get(part[0].name, ""),
        default=None if default == "NULL" else default,
        extra="auto_increment" if "AUTO_INCREMENT" in words else "",
    )


def _read_rows(statement: Sequence[Token], draft: _Draft) -> None:
    values = next((i for i, token in enumerate(statement) if token.word == "VALUES"), len(statement))
    name = _last_name(statement[:3])
    table = draft.tables.get(name)
    if table is None:
        raise DumpError(f"rows for a table that is not created before: {_excerpt(statement)}")
    row: list[Value] = []
    sign = 1
    for token in statement[values + 1 :]:
        if token.text == "(":
            row = []
        elif token.text == ")":
            if len(row) != len(table.columns):
                raise DumpError(f"{len(row)} values for the {len(table.columns)} columns of {name!r}")
            draft.rows[name].append(row)
        elif token.text == "-":
            sign = -1
        elif token.text != ",":
            row.append(_value(token, sign))
            sign = 1


def _value(token: Token, sign: int) -> Value:
    if token.kind == "string":
        return string_value(token.text)
    if token.word == "NULL":
        return None
    if token.kind != "number":
        raise DumpError(f"a value cannot be read: {token.text[:80]!r}")
    return sign * int(token.text) if token.text.isdigit() else sign * float(token.text)


def _load(name: str, draft: _Draft) -> LoadedDatabase:
    schema = Database(name, draft.tables)
    connection = sqlite3.connect(":memory:")
    try:
        register(connection, name)
        for table in draft.tables.values():
            columns = ", ".join(_declared(column) for column in table.columns)
            connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
            holes = ", ".join("?" * len(table.columns))
            insert = f'INSERT INTO "{table.name}" VALUES ({holes})'  # noqa: S608  # a name of the user's own dump
            connection.executemany(insert, draft.rows[table.name])
            # The same indexes as MySQL's make the same order of rows likelier where a statement asks for none.
            for number, names in enumerate(table.indexes):
                listed = ", ".join(f'"{each}"' for each in names)
                connection.execute(f'CREATE INDEX "{table.name} {number}" ON "{table.name}" ({listed})')
        _load_information_schema(connection, schema)
        connection.commit()
        return LoadedDatabase(schema, connection.serialize())
    except sqlite3.Error as error:
        raise DumpError(f"database {name!r}: {error}") from error
    finally:
        connection.close()


def _declared(column: Column) -> str:
    kind = column.type.split("(", maxsplit=1)[0]
    if kind in _INT:
        rest = "INTEGER"
    elif kind in ("double", "float", "decimal", "numeric", "real"):
        rest = "REAL"
    else:
        rest = "TEXT COLLATE " + ("MYSQL_TIME" if kind in ("date", "datetime", "timestamp") else "MYSQL_TEXT")
    return f'"{column.name}" {rest}'


def _load_information_schema(connection: sqlite3.Connection, schema: Database) -> None:
    """Adds the two tables of MySQL's own schema that models ask for, under names that only a rewrite reaches."""
    connection.execute(
        'CREATE TABLE "information_schema.tables" (table_schema TEXT COLLATE MYSQL_TEXT, '
        "table_name TEXT COLLATE MYSQL_TEXT, table_type TEXT COLLATE MYSQL_TEXT)"
    )
    connection.execute(
        'CREATE TABLE "information_schema.columns" (table_schema TEXT COLLATE MYSQL_TEXT, '
        "table_name TEXT COLLATE MYSQL_TEXT, column_name TEXT COLLATE MYSQL_TEXT, ordinal_position INTEGER, "
        "column_default TEXT, is_nullable TEXT COLLATE MYSQL_TEXT, data_type TEXT COLLATE MYSQL_TEXT, "
        "column_type TEXT COLLATE MYSQL_TEXT, column_key TEXT COLLATE MYSQL_TEXT)"
    )
    for table in sorted(schema.tables.values(), key=lambda each: each.name):
        row = (schema.name, table.name, "BASE TABLE")
        connection.execute('INSERT INTO "information_schema.tables" VALUES (?, ?, ?)', row)
        connection.executemany(
            'INSERT INTO "information_schema.columns" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
            [
                (
                    schema.name,
                    table.name,
                    each.name,
                    place,
                    each.default,
                    each.null,
                    each.data_type,
                    each.type,
                    each.key,
                )
                for place, each in enumerate(table.columns, start=1)
            ],
        )
