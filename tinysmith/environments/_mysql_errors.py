"""What MySQL would say where SQLite, or our reading of a statement, finds a mistake."""

import re
import sqlite3
from collections.abc import Sequence

from tinysmith.environments._mysql_tokens import Token

_CLAUSES = {
    "SELECT": "field list",
    "FROM": "from clause",
    "ON": "on clause",
    "WHERE": "where clause",
    "GROUP": "group statement",
    "HAVING": "having clause",
    "ORDER": "order clause",
}
_SYNTAX = (
    "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version "
    "for the right syntax to use near '{near}' at line {line}"
)
_NEAR_LENGTH = 80
READ_ONLY = "The MySQL server is running with the --read-only option so it cannot execute this statement"


class MySQLError(Exception):
    """A statement that MySQL would refuse; the text is what it would say."""


def no_such_table(database: str, table: str) -> MySQLError:
    """The named table does not exist."""
    return MySQLError(f"Table '{database}.{table.lower()}' doesn't exist")


def syntax_error(sql: str, token: Token | None) -> MySQLError:
    """The statement cannot be read from that token on; None means at its end."""
    start = len(sql) if token is None else token.start
    near, line = sql[start : start + _NEAR_LENGTH], sql.count("\n", 0, start) + 1
    return MySQLError(_SYNTAX.format(near=near, line=line))


def in_mysql_words(
    error: sqlite3.Error | sqlite3.Warning, sql: str, tokens: Sequence[Token], database: str
) -> MySQLError:
    """What MySQL would say to a statement that SQLite refused.

    Args:
        error: What SQLite said.
        sql: The statement as it was written.
        tokens: Its tokens.
        database: The database's name.
    """
    said = str(error)
    if found := re.search(r"no such column: (.+)", said):
        return MySQLError(f"Unknown column '{found[1]}' in '{_clause_of(found[1], tokens)}'")
    if found := re.search(r"no such table: (?:main\.)?(.+)", said):
        return no_such_table(database, found[1])
    if found := re.search(r"access to (\w+)", said):
        return no_such_table(database, found[1])
    if found := re.search(r"ambiguous column name: (.+)", said):
        return MySQLError(f"Column '{found[1]}' in {_clause_of(found[1], tokens)} is ambiguous")
    if found := re.search(r'near "(.+)": syntax error', said, re.DOTALL):
        place = next((token for token in tokens if token.text == found[1]), None)
        return syntax_error(sql, place or tokens[0])
    if said == "incomplete input":
        return syntax_error(sql, None)
    if found := re.search(r"no such function: (\w+)", said):
        return MySQLError(f"FUNCTION {database}.{found[1]} does not exist")
    if said == "not authorized":
        return MySQLError(READ_ONLY)
    if said.startswith("misuse of"):
        return MySQLError("Invalid use of group function")
    if "do not have the same number of result columns" in said:
        return MySQLError("The used SELECT statements have a different number of columns")
    if found := re.search(r"expected (\d+)|row value misused", said):
        return MySQLError(f"Operand should contain {found[1] or 1} column(s)")
    return MySQLError(said)


def _clause_of(column: str, tokens: Sequence[Token]) -> str:
    """Where a column first stands, in MySQL's words."""
    table, _, name = column.lower().rpartition(".")
    clauses = ["field list"]
    for index, token in enumerate(tokens):
        is_same_table = not table or [each.name or each.text for each in tokens[max(index - 2, 0) : index]] == [
            table,
            ".",
        ]
        if token.text == "(":
            clauses.append(clauses[-1])
        elif token.text == ")" and len(clauses) > 1:
            clauses.pop()
        elif token.name == name and is_same_table:
            return clauses[-1]
        else:
            clauses[-1] = _CLAUSES.get(token.word, clauses[-1])
    return "field list"
