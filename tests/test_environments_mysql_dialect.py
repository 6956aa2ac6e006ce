"""MySQL's dialect, read and run on SQLite."""

import threading
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysmith.environments._mysql_dump import load_dump
from tinysmith.environments._sql_connections import Connections, Output, StatementLimits

DUMP = """
CREATE DATABASE seeds;
USE seeds;
CREATE TABLE plants (
  id int NOT NULL AUTO_INCREMENT,
  name varchar(20) DEFAULT NULL,
  sown_year text,
  price decimal(8,2) DEFAULT '0.00',
  weight double DEFAULT NULL,
  height float(6,1) DEFAULT NULL,
  sown datetime DEFAULT NULL,
  due date DEFAULT NULL,
  bed_id int DEFAULT NULL,
  PRIMARY KEY (id),
  KEY bed (bed_id)
);
INSERT INTO plants VALUES
  (1, 'Leek', '0998', 1.50, 0.25, 10.5, '2030-01-02 03:04:05', '2030-02-01', 1),
  (2, 'leek ', '1001', 2.25, 0.5, 20.0, '2030-01-03 00:00:00', '2030-02-02', 1),
  (3, 'Fève', '1002', 0.10, NULL, NULL, NULL, NULL, 2);
CREATE TABLE beds (bed_id int NOT NULL, name varchar(20) NOT NULL, size int, PRIMARY KEY (bed_id));
INSERT INTO beds VALUES (1, 'south', 4), (2, 'north', 7);
CREATE TABLE loose (note text);
"""
LIMITS = StatementLimits(10.0, 1000, 100_000)


@cache
def connections() -> Connections:
    return Connections(load_dump(DUMP)["seeds"])


def run(action: str) -> Output:
    return connections().run(action, LIMITS, threading.Event())


class TestReading:
    @pytest.mark.parametrize(
        ("action", "text"),
        [
            ('SELECT id FROM plants WHERE name = "LEEK";', "[(1,), (2,)]"),
            ("SELECT id FROM Plants WHERE name = 'feve'", "[(3,)]"),
            ("SELECT `name` FROM `beds` WHERE name LIKE 'SOU%'", "[('south',)]"),
            ("SELECT COUNT(DISTINCT name) FROM plants", "[(2,)]"),
            ("SELECT id FROM plants WHERE sown_year < 1001", "[(1,)]"),
            ("SELECT id FROM plants p WHERE 1000 > p.sown_year", "[(1,)]"),
            ("SELECT id FROM plants WHERE sown_year BETWEEN 999 AND 1001", "[(2,)]"),
            ("SELECT id FROM plants WHERE sown = '2030-01-03'", "[(2,)]"),
            ("SELECT id FROM plants WHERE id = 1 || id = 2 && id = 2", "[(1,), (2,)]"),
            ("SELECT 7 DIV 2, id FROM plants WHERE weight <=> NULL", "[(3, 3)]"),
            ("SELECT name FROM seeds.beds b LIMIT 1 /* unclosed", "[('south',)]"),
            ("SELECT seeds.beds.name FROM seeds.beds LIMIT 1", "[('south',)]"),
            ("SELECT LEFT(name, 2), RIGHT(name, 2), IF(id > 1, 'b', 'a') FROM beds WHERE 0", None),
            ("SELECT LEFT(name, 2), RIGHT(name, 2), IF(bed_id > 1, 'b', 'a') FROM beds", None),
            ("SELECT CAST(sown_year AS SIGNED) FROM plants LIMIT 1", "[(998,)]"),
            ("SELECT CAST(id AS CHAR) AS signed FROM plants LIMIT 1", "[('1',)]"),
            ("SELECT id AS char FROM plants LIMIT 1", "[(1,)]"),
            ("SELECT EXTRACT(YEAR FROM sown) FROM plants LIMIT 1", "[(2030,)]"),
            ("SELECT TIMESTAMPDIFF(DAY, '2030-01-01', due) FROM plants LIMIT 1", "[(31,)]"),
            ("SELECT id FROM plants WHERE due > DATE_SUB('2030-02-03', INTERVAL 1 DAY)", "[]"),
            ("SELECT GROUP_CONCAT(name SEPARATOR '+') FROM beds", "[('south+north',)]"),
            ("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()", None),
            ("SELECT column_name FROM information_schema.columns WHERE table_name = 'LOOSE'", "[('note',)]"),
            ("SELECT 'it''s', \"\", 'a\\'b'", "[(\"it's\", '', \"a'b\")]"),
            ("(SELECT 1) -- comment", None),
            ("WITH big AS (SELECT * FROM beds) SELECT name FROM big WHERE size > 5", "[('north',)]"),
            ("SET sql_mode = ''", "None"),
            ("USE seeds", "None"),
            ("USE", "None"),
            ("SHOW TABLES", "[('beds',), ('loose',), ('plants',)]"),
            ("SHOW FULL TABLES LIKE '%A_TS'", "[('plants',)]"),
            ("SHOW TABLES LIKE '*'", "[]"),
            ("SHOW DATABASES", "[('information_schema',), ('seeds',)]"),
            ("DESCRIBE loose", "[('note', 'text', 'YES', '', None, '')]"),
            ("DESC `seeds`.`loose`", "[('note', 'text', 'YES', '', None, '')]"),
            ("EXPLAIN loose", "[('note', 'text', 'YES', '', None, '')]"),
            ("DESCRIBE beds SIZE", "[('size', 'int', 'YES', '', None, '')]"),
            ("SHOW COLUMNS FROM plants LIKE 'pri%'", "[('price', 'decimal(8,2)', 'YES', '', '0.00', '')]"),
            (
                "SHOW CREATE TABLE beds",
                (
                    "[('beds', 'CREATE TABLE `beds` (\\n  `bed_id` int NOT NULL,\\n"
                    "  `name` varchar(20) NOT NULL,\\n  `size` int,\\n  PRIMARY KEY (`bed_id`)\\n)')]"
                ),
            ),
            ("SHOW CREATE TABLE loose", "[('loose', 'CREATE TABLE `loose` (\\n  `note` text\\n)')]"),
        ],
    )
    def test_rows(self, action: str, text: str | None) -> None:
        """A statement of MySQL's dialect gives MySQL's rows."""
        expected = {
            "SELECT LEFT(name, 2), RIGHT(name, 2), IF(id > 1, 'b', 'a') FROM beds WHERE 0": (
                "Error executing query: Unknown column 'id' in 'field list'"
            ),
            "SELECT LEFT(name, 2), RIGHT(name, 2), IF(bed_id > 1, 'b', 'a') FROM beds": (
                "[('so', 'th', 'a'), ('no', 'th', 'b')]"
            ),
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()": (
                "[('beds',), ('loose',), ('plants',)]"
            ),
            "(SELECT 1) -- comment": (
                "Error executing query: You have an error in your SQL syntax; check the manual that corresponds "
                "to your MySQL server version for the right syntax to use near '(SELECT 1) -- comment' at line 1"
            ),
        }
        assert run(action).text == (text or expected[action])


class TestRefusing:
    @pytest.mark.parametrize(
        ("action", "said"),
        [
            ("", "Query was empty"),
            (" ;; ", "Query was empty"),
            ("SELECT 1; SELECT 2", "Only one statement can be executed at a time"),
            ("SELECT '" + "x" * 30_000 + "'", "Got a packet bigger than"),
            ("SELECT '\ud800'", "Invalid utf8mb4 character string"),
            ("SELECT \0", "Invalid utf8mb4 character string"),
            ("DELETE FROM beds", "The MySQL server is running with the --read-only option"),
            ("WITH x AS (SELECT 1) DELETE FROM beds", "The MySQL server is running with the --read-only option"),
            ("USE other", "Unknown database 'other'"),
            ("DESCRIBE", "right syntax to use near '' at line 1"),
            ("DESCRIBE trees", "Table 'seeds.trees' doesn't exist"),
            ("SHOW COLUMNS", "Table 'seeds.' doesn't exist"),
            ("SHOW COLUMNS FROM", "Table 'seeds.' doesn't exist"),
            ("SHOW", "right syntax to use near '' at line 1"),
            ("SHOW GRANTS", "Of SHOW there are only TABLES, COLUMNS"),
            ("Hello there", "right syntax to use near 'Hello there' at line 1"),
            ("SELECT *\nFROM beds\nWHERE OR 1", "right syntax to use near 'OR 1' at line 3"),
            ("SELECT * FROM", "right syntax to use near '' at line 1"),
            ("SELECT * FROM beds FULL OUTER JOIN plants", "right syntax to use near 'FULL OUTER JOIN plants'"),
            ("SELECT * FROM Trees", "Table 'seeds.trees' doesn't exist"),
            ("SELECT * FROM information_schema.", "right syntax to use near"),
            ("SELECT * FROM seeds.", "right syntax to use near"),
            ("SELECT * FROM seeds.trees", "Table 'seeds.trees' doesn't exist"),
            ("SELECT name FROM sqlite_master", "Table 'seeds.sqlite_master' doesn't exist"),
            ("SELECT colour FROM beds", "Unknown column 'colour' in 'field list'"),
            ("SELECT 1 FROM beds b WHERE b.colour = 1", "Unknown column 'b.colour' in 'where clause'"),
            ("SELECT 1 FROM beds b JOIN plants p ON b.x = p.y", "Unknown column 'b.x' in 'on clause'"),
            ("SELECT 1 FROM beds ORDER BY x", "Unknown column 'x' in 'order clause'"),
            (
                "SELECT 1 FROM beds WHERE (SELECT 1) = 1 GROUP BY x",
                "Unknown column 'x' in 'group statement'",
            ),
            ("SELECT bed_id FROM beds, plants", "Column 'bed_id' in field list is ambiguous"),
            ("SELECT frob(1)", "FUNCTION seeds.frob does not exist"),
            ("SELECT 'a' REGEXP 'a'", "FUNCTION seeds.REGEXP does not exist"),
            ("SELECT 1 FROM beds WHERE COUNT(*) > 1", "Invalid use of group function"),
            ("SELECT 1 UNION SELECT 1, 2", "The used SELECT statements have a different number of columns"),
            ("SELECT 1 WHERE 1 = (SELECT 1, 2)", "Operand should contain 1 column(s)"),
            ("SELECT (SELECT 1, 2)", "Operand should contain 1 column(s)"),
            ("SELECT abs(1, 2, 3)", "wrong number of arguments to function abs()"),
            ("SELECT )", "right syntax to use near ')' at line 1"),
        ],
    )
    def test_words(self, action: str, said: str) -> None:
        """A statement that is refused is told so in MySQL's words."""
        output = run(action)
        assert output.text.startswith("Error executing query: ")
        assert said in output.text
        assert not output.is_executed
        assert output.rows is None


WORDS = [
    "SELECT",
    "FROM",
    "WHERE",
    "AS",
    "(",
    ")",
    ",",
    ".",
    "*",
    "+",
    "-",
    "/",
    "||",
    "=",
    "<",
    "5",
    "'x'",
    '"y"',
    "id",
    "name",
    "plants",
    "beds",
    "p",
    "COUNT",
    "SUM",
    "AVG",
    "CAST",
    "ROUND",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "INTERVAL",
    "EXTRACT",
    "DISTINCT",
    "UNION",
    "WITH",
    "seeds",
    "information_schema",
    "tables",
    "CASE",
    "WHEN",
    "END",
    "OVER",
    "DAY",
    "JOIN",
    "ON",
    "'",
    '"',
]


class TestAnyStatement:
    @settings(deadline=None)  # the first example opens the database
    @given(st.lists(st.sampled_from(WORDS), max_size=25))
    def test_never_fails(self, words: list[str]) -> None:
        """Whatever is asked, the answer is an output."""
        assert run("SELECT " + " ".join(words)).text

    @settings(deadline=None)  # the first example opens the database
    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """Any text is a statement with an output."""
        assert run(text).text

    @pytest.mark.parametrize(
        "action",
        [
            "SELECT " + "(" * 9000,
            "SELECT " + "(" * 4000 + "1" + ")" * 4000,
            "SELECT " * 2800,
            "SELECT a0 FROM (SELECT " + ", ".join(f"a{n + 1} + a{n + 1} AS a{n}" for n in range(900)) + ")",
            "SELECT /*" * 2000,
        ],
    )
    def test_monsters(self, action: str) -> None:
        """A statement made to keep the reader busy is answered soon."""
        assert run(action).text
