"""Hostile statements on read-only connections."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from tinysmith.environments._mysql_dump import load_dump
from tinysmith.environments._sql_connections import Connections, Output, StatementLimits

DUMP = """
CREATE DATABASE seeds;
USE seeds;
CREATE TABLE beds (id int, name text);
INSERT INTO beds VALUES (1, 'a'), (2, 'b');
"""
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
LIMITS = StatementLimits(10.0, 100, 100_000)


@cache
def connections() -> Connections:
    return Connections(load_dump(DUMP)["seeds"])


def run(action: str, limits: StatementLimits = LIMITS) -> Output:
    return connections().run(action, limits, threading.Event())


class TestSafety:
    @pytest.mark.parametrize(
        "action",
        [
            "ATTACH DATABASE 'FILE' AS x",
            "PRAGMA writable_schema = 1",
            "VACUUM INTO 'FILE'",
            "EXPLAIN ATTACH DATABASE 'FILE' AS x",
            "SELECT load_extension('FILE')",
            "SELECT * FROM pragma_table_info('beds')",
            "INSERT INTO beds VALUES (3, 'c')",
            "WITH x AS (SELECT 3) INSERT INTO beds SELECT *, 'c' FROM x",
            "EXPLAIN CREATE TEMP TABLE t (a int)",
            "SELECT sql FROM sqlite_schema",
        ],
    )
    def test_refused(self, action: str, tmp_path: Path) -> None:
        """Files, settings, extensions and writes are out of reach."""
        file = tmp_path / "file"
        output = run(action.replace("FILE", str(file)))
        assert not output.is_executed
        assert not file.exists()
        assert run("SELECT COUNT(*) FROM beds").text == "[(2,)]"

    @pytest.mark.parametrize("action", ["SELECT hex(zeroblob(2000000))", "SELECT printf('%1000000d', 1)"])
    def test_giants(self, action: str) -> None:
        """A giant value is not made."""
        assert len(run(action, StatementLimits(10.0, 1, 10_000_000)).text) < 1000

    def test_recursion(self) -> None:
        """A recursive query that ends is allowed."""
        action = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n"
        assert run(action).text == "[(1,), (2,), (3,)]"


class TestLimits:
    def test_time(self) -> None:
        """A query without end is ended at its time limit, and the connection goes on working."""
        begin = time.monotonic()
        output = run(ENDLESS, StatementLimits(0.2, 100, 100))
        assert output.is_timed_out
        assert not output.is_executed
        assert "time limit of 0.2 seconds" in output.text
        assert time.monotonic() - begin < 60
        assert run("SELECT 1").text == "[(1,)]"

    def test_stop(self) -> None:
        """A query ends when it is told to stop."""
        stop = threading.Event()
        stop.set()
        assert connections().run(ENDLESS, LIMITS, stop).is_timed_out

    def test_rows(self) -> None:
        """Rows beyond the limit are cut off; as many rows as the limit are not cut."""
        assert run("SELECT id FROM beds", StatementLimits(1.0, 2, 100)) == Output(
            "[(1,), (2,)]", rows=("(1,)", "(2,)")
        )
        cut = run("SELECT id FROM beds", StatementLimits(1.0, 1, 100))
        assert (cut.text, cut.is_cut, cut.is_executed) == ("[(1,)]", True, True)

    def test_characters(self) -> None:
        """Whole rows beyond the limit of characters are cut off."""
        cut = run("SELECT id FROM beds", StatementLimits(1.0, 10, 4))
        assert (cut.rows, cut.is_cut) == (("(1,)",), True)


class TestSharing:
    def test_threads(self) -> None:
        """Many threads use the same connections at once, and only few of those are kept."""
        with ThreadPoolExecutor(16) as pool:
            texts = list(pool.map(run, ["SELECT COUNT(*) FROM beds a, beds b, beds c"] * 200))
        assert {output.text for output in texts} == {"[(8,)]"}

    def test_nested(self) -> None:
        """Connections beyond those that are kept are closed after use."""
        many = connections()
        entered = threading.Barrier(8)

        def hold(_: int) -> str:
            with many._lent() as connection:
                entered.wait()
                row = connection.execute("SELECT 1").fetchone()
            return str(row)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(hold, range(8))) == {"(1,)"}
        assert len(many._idle) <= 4

    def test_forgotten(self) -> None:
        """Connections that nobody holds any more are closed."""
        some = Connections(load_dump(DUMP)["seeds"])
        some.run("SELECT 1", LIMITS, threading.Event())
        idle = some._idle
        assert len(idle) == 1
        del some
        gc.collect()
        assert not idle

    def test_repr(self) -> None:
        """An output does not show its rows."""
        assert "secret" not in repr(run("SELECT 'secret'"))
