"""MySQL's functions and collations on SQLite."""

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.environments._mysql_collation import compare_texts, compare_times, moment_of
from tinysmith.environments._mysql_functions import register


@pytest.fixture(name="connection")
def _connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    register(connection, "seeds")
    yield connection
    connection.close()


class TestCompareTexts:
    def test_equal(self) -> None:
        """Case, accents and trailing blanks do not count."""
        assert compare_texts("Élan  ", "elan") == compare_texts("abc", "ABC ") == 0

    def test_order(self) -> None:
        """Letters are ordered as capitals; leading blanks do count."""
        assert compare_texts("_", "a") == 1
        assert compare_texts(" a", "a") == -1

    @given(st.text(), st.text())
    def test_sides(self, left: str, right: str) -> None:
        """Swapping the sides turns the answer."""
        assert compare_texts(left, right) == -compare_texts(right, left)

    def test_long(self) -> None:
        """Long texts compare like short ones."""
        assert compare_texts("a" * 500 + " ", "A" * 500) == 0


class TestCompareTimes:
    def test_forms(self) -> None:
        """A date alone is its midnight, however it is written."""
        assert compare_times("2030-01-02", "2030/1/2 00:00:00") == 0
        assert compare_times("20300102", "2030-01-02 00:00:01") == -1
        assert compare_times("2030-01-03", "2030-01-02 23:59") == 1

    def test_no_time(self) -> None:
        """What is no time compares as text."""
        assert compare_times("never", "2030-01-02") == 1
        assert compare_times("2030-13-02", "2030-13-02") == 0

    def test_long(self) -> None:
        """A long text is no time."""
        assert moment_of("2030-01-02" + " " * 300) is None


class TestFunctions:
    @pytest.mark.parametrize(
        ("call", "value"),
        [
            ("DATABASE()", "seeds"),
            ("CONCAT('a', 1, x'62')", "a1b"),
            ("CONCAT('a', NULL)", None),
            ("CONCAT_WS('-', 'a', NULL, 'b')", "a-b"),
            ("CONCAT_WS(NULL, 'a')", None),
            ("MYSQL_LEFT('abc', 2)", "ab"),
            ("MYSQL_LEFT('abc', -1)", ""),
            ("MYSQL_RIGHT('abc', 2)", "bc"),
            ("MYSQL_RIGHT('abc', 0)", ""),
            ("MYSQL_ISNULL(NULL)", 1),
            ("LENGTH('é')", 2),
            ("CHAR_LENGTH('é')", 1),
            ("UPPER('é')", "É"),
            ("LCASE('É')", "é"),
            ("LOCATE('B', 'abab')", 2),
            ("LOCATE('b', 'abab', 3)", 4),
            ("SUBSTRING_INDEX('a.b.c', '.', 2)", "a.b"),
            ("SUBSTRING_INDEX('a.b.c', '.', -1)", "c"),
            ("SUBSTRING_INDEX('a.b.c', '', 1)", None),
            ("REVERSE('abc')", "cba"),
            ("GREATEST(1, 3, 2)", 3),
            ("GREATEST(1, 'a')", None),
            ("LEAST('b', 'a')", "a"),
            ("FLOOR(-1.5)", -2),
            ("CEIL('1.2')", 2),
            ("POW(2, 10)", 1024.0),
            ("POW(10, 999)", None),
            ("SQRT(-1)", None),
            ("MOD(7, 3)", 1),
            ("MOD(7.5, 2)", 1.5),
            ("MOD(7, 0)", None),
            ("TRUNCATE(1.999, 1)", 1.9),
            ("FORMAT(1326.4, 2)", "1,326.40"),
            ("DATE('2030-01-02 03:04:05')", "2030-01-02"),
            ("TIME('2030-01-02 03:04:05')", "03:04:05"),
            ("YEAR('2030-01-02')", 2030),
            ("YEAR('soon')", None),
            ("QUARTER('2030-05-02')", 2),
            ("MONTHNAME('2030-05-02')", "May"),
            ("DAYOFWEEK('2030-05-05')", 1),
            ("DAYNAME('2030-05-05')", "Sunday"),
            ("DAYOFYEAR('2030-02-01')", 32),
            ("UNIX_TIMESTAMP('1970-01-02')", 86400),
            ("DATEDIFF('2030-01-03 01:00:00', '2030-01-01')", 2),
            ("DATE_FORMAT('2030-05-02 03:04:05', '%e %M %Y, %H:%i:%s %Q')", "2 May 2030, 03:04:05 Q"),
            ("DATE_FORMAT('2030-05-02', '%k')", "0"),
            ("STR_TO_DATE('2 May 2030', '%e %M %Y')", "2030-05-02"),
            ("STR_TO_DATE('05/02/2030 10:20', '%m/%d/%Y %H:%i')", "2030-05-02 10:20:00"),
            ("STR_TO_DATE('x', '%Y')", None),
            ("STR_TO_DATE('2030 2030', '%Y %Y')", None),
            ("DATE_ADD('2030-01-31', 1, 'month')", "2030-02-28"),
            ("DATE_ADD('2030-12-31', 1, 'DAY')", "2031-01-01"),
            ("DATE_ADD('2030-12-31', 1, 'HOUR')", "2030-12-31 01:00:00"),
            ("DATE_ADD('2030-12-31', 1, 'EON')", None),
            ("DATE_SUB('2030-01-31 10:00:00', 1, 'YEAR')", "2029-01-31 10:00:00"),
            ("DATE_SUB('2030-01-31', 9999, 'YEAR')", None),
            ("TIMESTAMPDIFF('DAY', '2030-01-01', '2030-01-03 12:00:00')", 2),
            ("TIMESTAMPDIFF('YEAR', '2000-06-01', '2030-05-31')", 29),
            ("TIMESTAMPDIFF('MONTH', '2030-05-31', '2030-03-30')", -2),
            ("TIMESTAMPDIFF('EON', '2000-06-01', '2030-05-31')", None),
            ("MYSQL_EXTRACT('YEAR', '2030-05-31')", 2030),
            ("MYSQL_EXTRACT('resolution', '2030-05-31')", None),
            ("VERSION()", "8.0.0"),
            ("LENGTH(NOW())", 19),
            ("LENGTH(CURDATE())", 10),
            ("RAND() BETWEEN 0 AND 1", 1),
        ],
    )
    def test_value(self, connection: sqlite3.Connection, call: str, value: object) -> None:
        """Each function gives MySQL's value; NULL and nonsense give NULL."""
        assert connection.execute(f"SELECT {call}").fetchone() == (value,)

    @pytest.mark.parametrize("part", ["MONTH", "DAY", "DAYOFMONTH", "HOUR", "MINUTE", "SECOND"])
    def test_parts(self, connection: sqlite3.Connection, part: str) -> None:
        """The parts of a moment are numbers."""
        assert connection.execute(f"SELECT {part}('2030-07-07 07:07:07')").fetchone() == (7,)
