"""The types of a result's columns."""

import datetime
import threading
from decimal import Decimal
from functools import cache

import pytest

from tinysmith.environments._mysql_dump import load_dump
from tinysmith.environments._mysql_types import Type, converted, declared_type
from tinysmith.environments._sql_connections import Connections, StatementLimits

DUMP = """
CREATE DATABASE seeds;
USE seeds;
CREATE TABLE plants (
  id int, name text, price decimal(8,2), weight double, height float(6,1), sown datetime, due date
);
INSERT INTO plants VALUES
  (1, 'leek', 1.5, 0.25, 10.5, '2030-01-02 03:04:05', '2030-02-01'),
  (2, '12 kale', 2.25, 0.5, 20.1, '0000-00-00 00:00:00', NULL);
CREATE TABLE beds (id int, name int, price int);
"""


@cache
def connections() -> Connections:
    return Connections(load_dump(DUMP)["seeds"])


def first_row(action: str) -> str:
    output = connections().run(action, StatementLimits(10.0, 1, 10_000), threading.Event())
    return output.text if output.rows is None else output.rows[0]


class TestResultTypes:
    @pytest.mark.parametrize(
        ("items", "row"),
        [
            ("SUM(id), AVG(id), COUNT(*), MAX(id)", "(Decimal('3'), Decimal('1.5000'), 2, 2)"),
            ("SUM(price), AVG(price)", "(Decimal('3.75'), Decimal('1.875000'))"),
            ("SUM(weight), AVG(height), SUM(name)", "(0.75, 15.3, 12.0)"),
            (
                "*",
                (
                    "(1, 'leek', Decimal('1.50'), 0.25, 10.5, datetime.datetime(2030, 1, 2, 3, 4, 5), "
                    "datetime.date(2030, 2, 1))"
                ),
            ),
            (
                "p.*, 1",
                (
                    "(1, 'leek', Decimal('1.50'), 0.25, 10.5, datetime.datetime(2030, 1, 2, 3, 4, 5), "
                    "datetime.date(2030, 2, 1), 1)"
                ),
            ),
            ("MIN(p.sown)", "(None,)"),
            (
                "MAX(sown), DATE(MAX(sown)), MAX(due)",
                "(datetime.datetime(2030, 1, 2, 3, 4, 5), datetime.date(2030, 1, 2), datetime.date(2030, 2, 1))",
            ),
            ("STR_TO_DATE('2030-01-02', '%Y-%m-%d')", "(datetime.date(2030, 1, 2),)"),
            ("seeds.p.price", "Error executing query: Unknown column 'seeds.p.price' in 'field list'"),
            ("(price), 1.50, 'x', NULL", "(Decimal('1.50'), Decimal('1.50'), 'x', None)"),
            (
                "price * 2, price * price, id + id, id / 2, price - id",
                "(Decimal('3.00'), Decimal('2.2500'), 2, Decimal('0.5000'), Decimal('0.50'))",
            ),
            ("weight * 2, id + name, (SELECT SUM(id) FROM plants)", "(0.5, 1, Decimal('3'))"),
            ("SUM(price * id) AS total", "(Decimal('6.00'),)"),
            ("SUM(DISTINCT id) `n`", "(Decimal('3'),)"),
            ("ROUND(AVG(id), 1), ROUND(AVG(id)), ROUND(weight, 1)", "(Decimal('1.5'), Decimal('2'), 0.3)"),
            ("ROUND(AVG(id), MIN(id))", "(1.5,)"),
            ("CAST(id AS DECIMAL(8,3)), CAST(name AS SIGNED), CAST(id AS CHAR)", "(Decimal('1.000'), 0, '1')"),
            ("SUM(id) OVER (ORDER BY id), RANK() OVER (ORDER BY id)", "(Decimal('1'), 1)"),
            ("CASE WHEN id = 1 THEN 5 END, UPPER(name), id = 1", "(5, 'LEEK', 1)"),
            ("DISTINCT price", "(Decimal('1.50'),)"),
            ("price AS 'p'", "(Decimal('1.50'),)"),
            ("SUM(nix)", "Error executing query: Unknown column 'nix' in 'field list'"),
        ],
    )
    def test_row(self, items: str, row: str) -> None:
        """A select list gives MySQL's types."""
        assert first_row(f"SELECT {items} FROM plants AS p") == row

    @pytest.mark.parametrize(
        ("action", "row"),
        [
            ("SELECT total FROM (SELECT SUM(id) AS total FROM plants) AS x", "(Decimal('3'),)"),
            ("WITH x AS (SELECT AVG(id) m FROM plants) SELECT m FROM x", "(Decimal('1.5000'),)"),
            (
                "SELECT id FROM (SELECT id AS id2, id2 AS id FROM beds) x",
                "Error executing query: Unknown column 'id2'",
            ),
            ("SELECT MAX(p.price), MAX(b.price) FROM plants p LEFT JOIN beds b ON 1", "(Decimal('2.25'), None)"),
            ("SELECT MAX(price) FROM plants LEFT JOIN (SELECT id i FROM beds) b ON 1", "(2.25,)"),
            ("SELECT x AS y FROM (SELECT y AS x FROM (SELECT id AS y FROM plants) b) a", "(1,)"),
            ("(SELECT 1)", "Error executing query: You have an error"),
            ("VALUES (1)", "(1,)"),
        ],
    )
    def test_names(self, action: str, row: str) -> None:
        """Aliases stand for their expressions, even in a circle; qualified names for their table's column."""
        assert first_row(action).startswith(row)


class TestTypes:
    @pytest.mark.parametrize(
        ("declared", "kind"),
        [
            ("int", Type("int")),
            ("bigint(20)", Type("int", None)),
            ("decimal(19,4)", Type("decimal", 4)),
            ("decimal", Type("decimal", 0)),
            ("float(10,2)", Type("double", 2)),
            ("timestamp", Type("datetime")),
            ("enum('a','b')", Type("text")),
        ],
    )
    def test_declared(self, declared: str, kind: Type) -> None:
        """A declaration has a type."""
        assert declared_type(declared) == kind

    def test_converted(self) -> None:
        """Values take the type's form; what does not fit stays as it is."""
        assert converted(2.5, Type("decimal", 0)) == Decimal(3)
        assert converted(float("inf"), Type("decimal", 0)) == float("inf")
        assert converted("x", Type("decimal", 0)) == "x"
        assert converted(3, Type("double")) == 3.0
        assert converted("2030-01-02", Type("datetime")) == datetime.date(2030, 1, 2)
        assert converted(7, Type("date")) == 7
        assert converted(None, Type("int")) is None
