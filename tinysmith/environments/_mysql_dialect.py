"""Rewrites MySQL's dialect into SQLite's, token by token, and answers SHOW, DESCRIBE and their like itself."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from attrs import field, frozen

from tinysmith.environments._mysql_errors import READ_ONLY, MySQLError, no_such_table, syntax_error
from tinysmith.environments._mysql_schema import Database, Table
from tinysmith.environments._mysql_tokens import Token, quoted, string_value, tokens_of
from tinysmith.environments._mysql_types import Scope, scope_of

Row: TypeAlias = tuple[object, ...]

_COMPARISONS = frozenset(("=", "<", ">", "<=", ">=", "<>", "!=", "<=>"))
_SIGNS = {"||": " OR ", "&&": " AND ", "<=>": " IS ", "DIV": "/", "/": "*1.0/"}
_CALLS = {
    "LEFT": "MYSQL_LEFT",
    "RIGHT": "MYSQL_RIGHT",
    "ISNULL": "MYSQL_ISNULL",
    "IF": "IIF",
    "EXTRACT": "MYSQL_EXTRACT",
    "CURRENT_DATE": "CURDATE",
    "CURRENT_TIMESTAMP": "NOW",
    "LOCALTIME": "NOW",
    "SYSDATE": "NOW",
    "SCHEMA": "DATABASE",
    "MID": "SUBSTR",
    "SUBSTRING": "SUBSTR",
    "ADDDATE": "DATE_ADD",
    "SUBDATE": "DATE_SUB",
}
_CASTS = {"SIGNED": "INTEGER", "UNSIGNED": "INTEGER", "CHAR": "TEXT", "DECIMAL": "REAL", "DATETIME": "TEXT"}
_WILDCARDS = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
_MAX_LENGTH = 20_000
_READING = ("SELECT", "WITH", "VALUES", "(", "EXPLAIN")
_QUIET = ("SET", "USE", "COMMIT", "ROLLBACK", "BEGIN", "START", "FLUSH")
_WRITING = frozenset(
    {
        "INSERT",
        "UPDATE",
        "DELETE",
        "REPLACE",
        "CREATE",
        "ALTER",
        "DROP",
        "TRUNCATE",
        "RENAME",
        "GRANT",
        "REVOKE",
        "LOAD",
        "LOCK",
    }
)


@frozen
class Query:
    """A statement that SQLite can run.

    Attributes:
        sql: In SQLite's dialect.
        tokens: As they were written.
        scope: What the names in it stand for.
    """

    sql: str
    tokens: Sequence[Token] = field(repr=False)
    scope: Scope = field(repr=False)


@frozen
class Answer:
    """What a statement gives that needs no SQLite: rows, or None for a statement that has no rows."""

    rows: tuple[Row, ...] | None


def understand(action: str, database: Database) -> Query | Answer:
    """Reads one statement of MySQL's dialect.

    Raises:
        MySQLError: MySQL would refuse it, or it would write.
    """
    if len(action) > _MAX_LENGTH:
        raise MySQLError(f"Got a packet bigger than 'max_allowed_packet' bytes ({_MAX_LENGTH} characters)")
    if "\0" in action or not _is_encodable(action):
        raise MySQLError("Invalid utf8mb4 character string")
    tokens = tokens_of(action)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens:
        raise MySQLError("Query was empty")
    if any(token.text == ";" for token in tokens):
        raise MySQLError("Only one statement can be executed at a time")
    first = tokens[0].word
    if first in _WRITING:
        raise MySQLError(READ_ONLY)
    if first in _QUIET:
        return _quiet(tokens, database)
    if first in ("DESCRIBE", "DESC", "SHOW") or (first == "EXPLAIN" and len(tokens) == 2):
        return Answer(tuple(_shown(tokens, action, database)))
    if first not in _READING:
        raise syntax_error(action, tokens[0])
    return _query(tokens, action, database)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quiet(tokens: Sequence[Token], database: Database) -> Answer:
    if tokens[0].word == "USE" and len(tokens) == 2 and tokens[1].name != database.name:
        raise MySQLError(f"Unknown database '{tokens[1].name}'")
    return Answer(None)


def _shown(tokens: Sequence[Token], action: str, database: Database) -> list[Row]:
    words = [token.word for token in tokens if token.word not in ("FULL", "EXTENDED")]
    if words[:2] == ["SHOW", "TABLES"]:
        return [(name,) for name in sorted(database.tables) if _is_like(name, tokens)]
    if words[:2] in (["SHOW", "DATABASES"], ["SHOW", "SCHEMAS"]):
        return [("information_schema",), (database.name,)]
    if words[:2] in (["SHOW", "COLUMNS"], ["SHOW", "FIELDS"]):
        table = _table_after(tokens, ("FROM", "IN"), database)
        return [row for row in _described(table) if _is_like(str(row[0]), tokens)]
    if words[:3] == ["SHOW", "CREATE", "TABLE"]:
        table = _table_after(tokens, ("TABLE",), database)
        return [(table.name, _definition(table))]
    if words[0] != "SHOW" and len(tokens) > 1:
        table = _table_after(tokens, (words[0],), database)
        wanted = tokens[2].name if len(tokens) == 3 else ""
        return [row for row in _described(table) if wanted in ("", str(row[0]).lower())]
    if words[0] == "SHOW" and len(tokens) > 1:
        raise MySQLError("Of SHOW there are only TABLES, COLUMNS, DATABASES and CREATE TABLE here")
    raise syntax_error(action, None)


def _table_after(tokens: Sequence[Token], words: Sequence[str], database: Database) -> Table:
    places = [index for index, token in enumerate(tokens) if token.word in words]
    named = list(tokens[places[0] + 1 :]) if places else []
    if len(named) > 2 and named[1].text == "." and named[0].name == database.name:
        named = named[2:]
    name = named[0].name if named else ""
    if name not in database.tables:
        raise no_such_table(database.name, name)
    return database.tables[name]


def _is_like(name: str, tokens: Sequence[Token]) -> bool:
    words = [token.word for token in tokens]
    if "LIKE" not in words[:-1]:
        return True
    token = tokens[words.index("LIKE") + 1]
    # fnmatch never tries a pattern's stars again and again, which a hostile pattern would need.
    pattern = "".join(_WILDCARDS.get(char, char) for char in string_value(token.text).lower())
    return fnmatchcase(name.lower(), pattern)


def _described(table: Table) -> list[Row]:
    return [
        (column.name, column.type, column.null, column.key, column.default, column.extra)
        for column in table.columns
    ]


def _definition(table: Table) -> str:
    lines = [
        f"  `{column.name}` {column.type}{'' if column.is_nullable else ' NOT NULL'}" for column in table.columns
    ]
    keys = [f"`{column.name}`" for column in table.columns if column.key == "PRI"]
    lines += [f"  PRIMARY KEY ({','.join(keys)})"] if keys else []
    return f"CREATE TABLE `{table.name}` (\n" + ",\n".join(lines) + "\n)"


def _query(tokens: Sequence[Token], action: str, database: Database) -> Query:
    scope = scope_of(tokens, database)
    out: list[str] = []
    skipped = 0
    for index, token in enumerate(tokens):
        if skipped:
            skipped -= 1
            continue
        text, skipped = _rewritten(tokens, index, database)
        if token.word == "FULL" and index + 1 < len(tokens) and tokens[index + 1].word in ("OUTER", "JOIN"):
            raise syntax_error(action, token)
        out.append(text + _as_number(tokens, index, scope))
    return Query(" ".join(out), tokens, scope)


def _rewritten(tokens: Sequence[Token], index: int, database: Database) -> tuple[str, int]:
    """What becomes of the token at `index`, and how many tokens after it are used up."""
    token = tokens[index]
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    before = tokens[index - 1].word if index else ""
    if token.kind == "string":
        return quoted(string_value(token.text)), 0
    if after == "." and token.name in (database.name, "information_schema") and before != ".":
        if token.name == "information_schema" and index + 2 < len(tokens):
            return f'"information_schema.{tokens[index + 2].name}"', 2
        # A table may be called like its database, so that `singer.name` is no `database.table`.
        if before in ("FROM", "JOIN") or (index + 2 < len(tokens) and tokens[index + 2].name in database.tables):
            return "", 1
    if token.word in _CALLS and after == "(" and before != ".":
        return _CALLS[token.word], 0
    if before == "AS" and token.word in _CASTS and _is_in_cast(tokens, index):
        return _CASTS[token.word], 0
    if token.word == "INTERVAL":
        return "", 0
    return _unit_or_sign(tokens, index), 0


def _unit_or_sign(tokens: Sequence[Token], index: int) -> str:
    token = tokens[index]
    words = [each.word for each in tokens[max(index - 2, 0) : index]]
    if words in (["EXTRACT", "("], ["TIMESTAMPDIFF", "("]):
        return quoted(token.text)
    if token.word == "FROM" and [each.word for each in tokens[max(index - 3, 0) : index - 1]] == ["EXTRACT", "("]:
        return ","
    if words[:1] == ["INTERVAL"] and len(words) == 2:
        return f", {quoted(token.text)}"
    if token.word == "SEPARATOR":
        return ","
    return _SIGNS.get(token.word, token.text)


def _is_in_cast(tokens: Sequence[Token], index: int) -> bool:
    depth = 0
    for place in range(index, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[place].text, 0)
        if depth < 0:
            return tokens[place - 1].word == "CAST"
    return False


def _as_number(tokens: Sequence[Token], index: int, scope: Scope) -> str:
    """`+0` after a text column that is compared with a number: MySQL compares such a pair as numbers."""
    token = tokens[index]
    if not token.name:
        return ""
    start = index - 2 if index >= 2 and tokens[index - 1].text == "." else index
    after = tokens[index + 1 : index + 3]
    before = tokens[max(start - 2, 0) : start]
    compares = (len(after) == 2 and _is_number_test(after[0], after[1])) or (
        len(before) == 2 and before[1].text in _COMPARISONS and before[0].kind == "number"
    )
    if not compares:
        return ""
    kind = scope.column(token.name, tokens[start].name if start != index else "")
    return "+0" if kind is not None and kind.sort == "text" else ""


def _is_number_test(sign: Token, value: Token) -> bool:
    return (sign.text in _COMPARISONS or sign.word == "BETWEEN") and value.kind == "number"
