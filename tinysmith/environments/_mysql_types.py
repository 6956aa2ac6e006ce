"""The types that MySQL gives to the columns of a result, where SQLite has none: sums, averages, dates.

A sum of integers is a DECIMAL in MySQL, an average of them one with four places, a date is a date. Rewards compare
rows as text, so the type decides whether two rows are equal.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from tinysmith.environments._mysql_collation import moment_of
from tinysmith.environments._mysql_schema import Column, Database, Table
from tinysmith.environments._mysql_tokens import Token, closing, split_at

Sort: TypeAlias = Literal["int", "decimal", "double", "text", "date", "datetime", "time"]

CLAUSES = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "WINDOW", "FOR", "INTO"}
)
_NO_ALIAS = CLAUSES | frozenset(
    {
        "ON",
        "USING",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "CROSS",
        "NATURAL",
        "OUTER",
        "FULL",
        "STRAIGHT_JOIN",
        "SET",
        "AS",
        "SELECT",
        "VALUES",
        "LATERAL",
    }
)
_SAME_AS_FIRST = frozenset({"MIN", "MAX", "IFNULL", "COALESCE", "NULLIF", "ABS", "GREATEST", "LEAST", "ANY_VALUE"})
_INT_RESULTS = frozenset(
    {
        "COUNT",
        "LENGTH",
        "CHAR_LENGTH",
        "YEAR",
        "MONTH",
        "DAY",
        "DATEDIFF",
        "FLOOR",
        "CEIL",
        "CEILING",
        "RANK",
        "ROW_NUMBER",
        "DENSE_RANK",
    }
)
_MAX_SELECTS = 50  # more are no question, but an attempt to keep us busy
_CONTEXT = Context(prec=65, rounding=ROUND_HALF_UP)


@frozen
class Type:
    """A result column's type.

    Attributes:
        sort: What kind of value.
        places: Digits after the point, of a decimal or of a double that was declared with them.
    """

    sort: Sort
    places: int | None = None


INT, DOUBLE, TEXT = Type("int"), Type("double"), Type("text")


def declared_type(declared: str) -> Type:
    """The type of a column from its declaration, such as `decimal(19,4)`."""
    name, _, numbers = declared.rstrip(")").partition("(")
    places = int(numbers.partition(",")[2] or 0) if numbers.replace(",", "").isdigit() else None
    if name in ("decimal", "numeric"):
        return Type("decimal", places or 0)
    if name in ("double", "float", "real"):
        return Type("double", places)
    if name in ("date", "datetime", "timestamp"):
        return Type("date" if name == "date" else "datetime")
    return INT if name.endswith("int") or name in ("integer", "year", "bool", "boolean", "bit") else TEXT


@frozen
class Scope:
    """What the names in a statement stand for.

    Attributes:
        tables: The mentioned tables by their lower-case names and aliases.
        selected: The expressions that have an alias, by lower-case alias.
    """

    tables: Mapping[str, Table]
    selected: Mapping[str, Sequence[Token]] = field(repr=False)

    def column(self, name: str, table: str = "") -> Type | None:
        """The type of a column; None if no mentioned table has it, or several have it with different types."""
        found = {declared_type(column.type) for _, column in self.columns(name, table)}
        return found.pop() if len(found) == 1 else None

    def columns(self, name: str, table: str = "") -> list[tuple[Table, Column]]:
        """The columns of that lower-case name in the mentioned tables, or in the one of that name or alias."""
        tables = [self.tables[table]] if table in self.tables else self.tables.values()
        return [(each, column) for each in tables for column in each.columns if column.name.lower() == name]


def scope_of(tokens: Sequence[Token], database: Database) -> Scope:
    """What the names in a statement stand for, all its subqueries taken together."""
    tables: dict[str, Table] = {}
    for index, token in enumerate(tokens):
        table = database.tables.get(token.name)
        before = tokens[index - 1].word if index else ""
        if table is not None and before in ("FROM", "JOIN", ",", "(", "."):
            tables.setdefault(token.name, table)
            alias = next((each for each in tokens[index + 1 : index + 3] if each.word != "AS"), token)
            if alias.name and alias.word not in _NO_ALIAS:
                tables[alias.name] = table
    selected: dict[str, Sequence[Token]] = {}
    for index in [place for place, token in enumerate(tokens) if token.word == "SELECT"][:_MAX_SELECTS]:
        for item in select_list(tokens[index:]):
            expression, alias_name = _unaliased(item)
            if alias_name:
                selected.setdefault(alias_name, expression)
    return Scope(tables, selected)


def select_list(tokens: Sequence[Token]) -> list[list[Token]]:
    """The items of the first select list; `tokens` begin with SELECT."""
    depth = 0
    end = len(tokens)
    for index, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0 or (depth == 0 and token.word in CLAUSES):
            end = index
            break
    start = 2 if len(tokens) > 1 and tokens[1].word in ("DISTINCT", "ALL") else 1
    return split_at(tokens[start:end], ",")


def _unaliased(item: Sequence[Token]) -> tuple[Sequence[Token], str]:
    if len(item) >= 3 and item[-2].word == "AS":
        return item[:-2], item[-1].name or item[-1].text[1:-1].lower()
    if len(item) >= 2 and item[-1].name and (item[-2].text == ")" or item[-2].kind in ("name", "number")):
        return item[:-1], "" if item[-1].word == "END" else item[-1].name
    return item, ""


def result_types(tokens: Sequence[Token], names: Sequence[str], scope: Scope) -> list[Type | None]:
    """The types of a query's result columns; None where it is not known.

    Args:
        tokens: The query's.
        names: The result's column names, for lists with a star.
        scope: What the names in it stand for.
    """
    items = outer_select_list(tokens)
    if len(items) == len(names) and not any(item and item[-1].text == "*" for item in items):
        return [_Typer(scope).type_of(_unaliased(item)[0]) for item in items]
    return [_Typer(scope).named(name.lower(), "") for name in names]


def outer_select_list(tokens: Sequence[Token]) -> list[list[Token]]:
    """The items of the first select list outside of parentheses; none where there is no such list."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.word == "SELECT" and depth == 0:
            return select_list(tokens[index:])
    return []


class _Typer:
    """Finds the type of one expression; bounded, since aliases may stand for each other."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._calls_left = 150

    def named(self, name: str, table: str) -> Type | None:
        """The type of a column or alias."""
        found = self._scope.column(name, table)
        if found is None and name in self._scope.selected:
            return self.type_of(self._scope.selected[name])
        return found

    def type_of(self, tokens: Sequence[Token]) -> Type | None:
        """The type of an expression, None where it is not known."""
        self._calls_left -= 1
        if not tokens or self._calls_left < 0:
            return None
        first = tokens[0]
        if first.text == "(" and closing(tokens, 0) == len(tokens) - 1:
            return self.type_of(tokens[1:-1])
        if first.word == "SELECT":
            return self.type_of(_unaliased(select_list(tokens)[0])[0])
        if len(tokens) == 1:
            return self._type_of_one(first)
        if first.name and all(token.text == "." for token in tokens[1::2]) and len(tokens) % 2:
            return self.named(tokens[-1].name, tokens[-3].name)
        end = closing(tokens, 1) if first.name and tokens[1].text == "(" else len(tokens)
        if end == len(tokens) - 1 or (end < len(tokens) and tokens[end + 1].word == "OVER"):
            return self._type_of_call(first.word, tokens[2:end])
        return self._type_of_sum(tokens)

    def _type_of_one(self, token: Token) -> Type | None:
        if token.kind == "number":
            return INT if token.text.isdigit() else Type("decimal", len(token.text.partition(".")[2]))
        return TEXT if token.kind == "string" else self.named(token.name, "")

    def _type_of_call(self, name: str, arguments: Sequence[Token]) -> Type | None:
        if name in _INT_RESULTS:
            return INT
        if name == "CAST":
            target = "".join(token.text for token in split_at(arguments, "AS")[-1]).lower()
            return INT if target in ("signed", "unsigned") else declared_type(target)
        parts = split_at(arguments, ",")
        start = 1 if parts[0] and parts[0][0].word == "DISTINCT" else 0
        inner = self.type_of(parts[0][start:])
        if name in _SAME_AS_FIRST:
            return inner
        if name in ("SUM", "AVG") and inner is not None:
            return _aggregated(name, inner)
        if name == "ROUND" and inner is not None and inner.sort == "decimal":
            return _rounded(inner, parts[1:])
        return Type("date" if name == "DATE" else "datetime") if name in ("DATE", "STR_TO_DATE") else None

    def _type_of_sum(self, tokens: Sequence[Token]) -> Type | None:
        for signs in (("+", "-"), ("*", "/")):
            parts = split_at(tokens, *signs)
            if len(parts) > 1:
                has_quotient = any(token.text == "/" for token in tokens)
                return _combined([self.type_of(part) for part in parts], signs, has_quotient=has_quotient)
        return None


def _aggregated(name: str, inner: Type) -> Type:
    more = 4 if name == "AVG" else 0
    if inner.sort in ("int", "decimal"):
        return Type("decimal", (inner.places or 0) + more)
    return Type("double", None if inner.places is None else inner.places + more)


def _rounded(inner: Type, places: Sequence[Sequence[Token]]) -> Type | None:
    text = places[0][0].text if places and places[0] else "0"
    return Type("decimal", min(int(text), inner.places or 0)) if text.isdigit() else None


def _combined(types: Sequence[Type | None], signs: tuple[str, str], *, has_quotient: bool) -> Type | None:
    known = [each for each in types if each is not None and each.sort in ("int", "decimal", "double")]
    if len(known) < len(types):
        return None
    places = [each.places or 0 for each in known]
    if any(each.sort == "double" for each in known):
        return DOUBLE
    if has_quotient:
        return Type("decimal", places[0] + 4)
    if all(each.sort == "int" for each in known):
        return INT
    return Type("decimal", sum(places) if signs[0] == "*" else max(places))


def converted(value: Any, kind: Type | None) -> Any:
    """A value as MySQL's connector would give it in a column of that type."""
    if kind is None or value is None:
        return value
    if kind.sort == "decimal" and isinstance(value, int | float):
        exact = Decimal(repr(value))
        return (
            exact.quantize(Decimal(1).scaleb(-(kind.places or 0)), context=_CONTEXT)
            if exact.is_finite()
            else value
        )
    if kind.sort == "double" and isinstance(value, int | float):
        return float(value) if kind.places is None else round(float(value), kind.places)
    if kind.sort in ("date", "datetime") and isinstance(value, str):
        moment = moment_of(value)
        is_date = kind.sort == "date" or len(value) <= 10
        return moment.date() if moment is not None and is_date else moment
    return value
