"""The store in PostgreSQL: what only it does."""

import signal
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from postgres import PASSWORD, Server
from stores import at_once, head, kept, row

from tinysmith.errors import JournalError, UsageError
from tinysmith.journal._postgres import postgres_store
from tinysmith.journal._rows import Text
from tinysmith.journal._sql import LAYOUTS, SqlStore

NEXT = (*LAYOUTS, ("ALTER TABLE owners ADD COLUMN mood TEXT", "CREATE INDEX moods ON owners (mood)"))
KILL = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE '%{}%' AND pid != pg_backend_pid()
"""
SLY = """
CREATE FUNCTION tinysmith.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER sly BEFORE INSERT ON tinysmith.log FOR EACH ROW EXECUTE FUNCTION tinysmith.f()
"""


@pytest.fixture
def guest(postgres: Server) -> Iterator[str]:
    """The name of a user who may do nothing but come in."""
    postgres.run(
        "REVOKE CREATE ON DATABASE postgres FROM PUBLIC", f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'"
    )
    yield "guest"
    postgres.run("DROP SCHEMA IF EXISTS tinysmith CASCADE", "DROP ROLE guest")


def opened(server: Server, *, read_only: bool = False, busy_s: float = 5.0) -> "closing[SqlStore]":
    return closing(postgres_store(server.url(), read_only=read_only, busy_s=busy_s))


def refused(url: str, match: str, *, read_only: bool = False) -> JournalError:
    with pytest.raises(JournalError, match=match) as caught:
        postgres_store(url, read_only=read_only)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    return caught.value


class TestAddress:
    def test_place(self, postgres: Server) -> None:
        """A store is called by its host, port and database, and by nothing secret."""
        with opened(postgres) as store:
            assert store.place == f"postgresql://127.0.0.1:{postgres.port}/postgres"
            assert PASSWORD not in repr(store) + repr(vars(store))

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://user:canary@secret@host/runs",
            "postgresql://user:canary/secret@host/runs",
            "postgresql://user:%zzcanary@host/runs",
            "postgresql://user:canary@host/runs?canary=1",
            "postgresql:///",
            "runs.db",
        ],
    )
    def test_unreadable(self, url: str) -> None:
        """An address that cannot be read is refused, without a word of it: it could be of the password."""
        with pytest.raises(
            UsageError, match=r"^The address of the database cannot be read\. .* with %40"
        ) as caught:
            postgres_store(url, read_only=False)
        assert "canary" not in "".join(traceback.format_exception(caught.value))

    def test_unreachable(self) -> None:
        """A server that is not there is named."""
        error = refused(f"postgresql://me:{PASSWORD}@127.0.0.1:1/runs", r"the server cannot be reached\. Check")
        assert str(error).startswith("postgresql://127.0.0.1:1/runs: ")

    def test_no_port(self) -> None:
        """What is left out of an address is libpq's to fill in, and is left out of the name."""
        error = refused("postgresql://127.0.0.1?port=1", "cannot be reached")
        assert error.place == "postgresql://127.0.0.1:1/"
        refused("postgresql://localhost.invalid/runs", r"^postgresql://localhost\.invalid/runs: ")

    def test_password(self, postgres: Server) -> None:
        """A wrong password, or an unknown user, is told as such, and the password is not told."""
        match = r"does not let this user in\. Check the user and the password\. \(PostgreSQL: "
        error = refused(postgres.url(password="canary"), match)
        assert "canary" not in "".join(traceback.format_exception(error))
        refused(postgres.url(user="nobody-known"), match)

    def test_database(self, postgres: Server) -> None:
        """A database that is not there is told as such."""
        refused(postgres.url("nowhere"), r"there is no such database\. Make it first")

    def test_no_psycopg(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without psycopg the error names it."""
        monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not installed
        with pytest.raises(
            UsageError, match=r"needs psycopg, which is missing\. Run `pip install 'psycopg\[binary\]'`"
        ):
            postgres_store("postgresql://host/runs", read_only=False)


class TestSettings:
    @pytest.mark.parametrize(("given", "kept"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
    def test_durable(self, postgres: Server, given: str, kept: str) -> None:
        """A commit is waited for, whatever the server would do by itself."""
        postgres.run(f"ALTER ROLE tinysmith SET synchronous_commit = {given}")
        try:
            with opened(postgres) as store:
                assert list(store._door.found("SHOW synchronous_commit")) == [(kept,)]
        finally:
            postgres.run("ALTER ROLE tinysmith RESET synchronous_commit")

    def test_isolation(self, postgres: Server) -> None:
        """Transactions see what others have committed, whatever the server would do by itself."""
        postgres.run("ALTER ROLE tinysmith SET default_transaction_isolation = 'serializable'")
        try:
            with opened(postgres) as store, store._door.transaction():
                assert list(store._door.found("SHOW transaction_isolation")) == [("read committed",)]
        finally:
            postgres.run("ALTER ROLE tinysmith RESET default_transaction_isolation")


class TestLayout:
    def test_newer(self, postgres: Server) -> None:
        """A journal of a newer version is refused."""
        postgres_store(postgres.url(), read_only=False, layouts=NEXT).close()
        refused(
            postgres.url(), r"written by a newer tinysmith \(layout 2; this one knows up to 1\)\. Use that one\."
        )

    def test_older(self, postgres: Server) -> None:
        """An older journal is brought to the new layout with what is in it, by a connection that may write."""
        with opened(postgres) as store:
            store.write([head(1), row(1, 1)])
        with pytest.raises(JournalError, match=r"by an older tinysmith \(layout 1\)\. Open it once for writing\."):
            postgres_store(postgres.url(), read_only=True, layouts=NEXT)
        at_once([lambda: postgres_store(postgres.url(), read_only=False, layouts=NEXT).close()] * 3)
        with closing(postgres_store(postgres.url(), read_only=True, layouts=NEXT)) as store:
            assert (store.heads(), list(store.rows(1))) == ([head(1)], [row(1, 1)])
            assert list(store._door.found("SELECT mood FROM owners")) == []

    def test_half_a_migration(self, postgres: Server) -> None:
        """A migration that fails leaves the old layout as it was."""
        with opened(postgres) as store:
            store.write([head(1)])
        with pytest.raises(JournalError, match="has changed its tables"):
            postgres_store(postgres.url(), read_only=False, layouts=(*NEXT, ("INSERT INTO nowhere VALUES (1)",)))
        with opened(postgres) as store:
            assert store.heads() == [head(1)]

    def test_nothing_there(self, postgres: Server) -> None:
        """To read, a journal must be there; looking for it makes none."""
        for _ in range(2):
            refused(postgres.url(), r"there is no journal in this database\. Check the address\.", read_only=True)
        postgres.run("CREATE SCHEMA tinysmith")
        refused(postgres.url(), "there is no journal in this database", read_only=True)

    @pytest.mark.parametrize(
        "statements",
        [
            ["CREATE SCHEMA tinysmith", "CREATE TABLE tinysmith.blacksmiths (name TEXT)"],
            ["CREATE SCHEMA tinysmith", "CREATE TABLE tinysmith.layout (version BIGINT)"],
        ],
    )
    def test_foreign(self, postgres: Server, statements: list[str]) -> None:
        """A schema of that name that is another program's is left alone."""
        postgres.run(*statements)
        refused(
            postgres.url(), "another program uses, or has changed, its schema tinysmith: .* Name another database"
        )

    @pytest.mark.parametrize(
        ("statements", "named"),
        [
            (["DROP TABLE tinysmith.texts"], "texts, texts_pkey"),
            (["CREATE TABLE tinysmith.more (x TEXT)"], "more"),
            (['CREATE RULE "sly\x1b" AS ON INSERT TO tinysmith.log DO ALSO SELECT 1'], r"sly\\x1b"),
            ([SLY], "sly"),
        ],
    )
    def test_changed(self, postgres: Server, statements: list[str], named: str) -> None:
        """What another program has put into it, or taken out, is named, and nothing of it is run."""
        opened(postgres).thing.close()  # type: ignore[attr-defined]  # typeshed leaves it out
        postgres.run(*statements)
        refused(postgres.url(), f"its schema tinysmith: {named}")

    def test_changed_meanwhile(self, postgres: Server) -> None:
        """A table that is lost while it is used is told as another program's doing."""
        with opened(postgres) as store:
            postgres.run("DROP TABLE tinysmith.log")
            with pytest.raises(JournalError, match=r"another program has changed its tables\. Restore"):
                store.write([row(1, 1)])


class TestPermissions:
    def test_no_schema(self, postgres: Server, guest: str) -> None:
        """Who may not make the schema is told what must be granted."""
        refused(postgres.url(user=guest), r"this user may not do that\. Grant it CREATE on the database, or")

    def test_own_schema(self, postgres: Server, guest: str) -> None:
        """A schema that somebody has made for the user is enough."""
        postgres.run("CREATE SCHEMA tinysmith AUTHORIZATION guest")
        with closing(postgres_store(postgres.url(user=guest), read_only=False)) as store:
            store.write([head(1)])
            assert store.heads() == [head(1)]

    def test_others_schema(self, postgres: Server, guest: str) -> None:
        """A journal of somebody else's cannot be opened without leave."""
        opened(postgres).thing.close()  # type: ignore[attr-defined]  # as above
        refused(postgres.url(user=guest), "this user may not do that", read_only=True)


class TestConnection:
    def test_lost(self, postgres: Server) -> None:
        """Where the connection is lost the call fails, and the next one makes another."""
        with opened(postgres) as store:
            store.write([head(1)])
            postgres.run(KILL.format("INSERT INTO runs"))
            with pytest.raises(JournalError, match=r"the connection is lost\. What was committed is kept"):
                store.write([head(2)])
            store.write([head(3)])
            assert sorted(each.run for each in store.heads()) == [1, 3]

    def test_lost_in_a_transaction(self, postgres: Server) -> None:
        """Where it is lost in the middle of a transaction, nothing of that is done, nor goes on without it."""

        def runs() -> Iterator[int]:
            yield from range(1, 501)
            postgres.run(KILL.format("LOCK TABLE"), KILL.format("DELETE FROM runs"))
            yield 501

        with opened(postgres) as store:
            store.write([head(1), row(1, 1)])
            with pytest.raises(JournalError, match="the connection is lost"):
                store.delete(runs())  # type: ignore[arg-type]  # any iterable would do
            assert (store.heads(), list(store.rows(1))) == ([head(1)], [row(1, 1)])

    def test_caught_in_a_transaction(self, postgres: Server) -> None:
        """A transaction whose connection is lost is not gone on with on another one."""
        with opened(postgres) as store:

            def insist() -> None:
                with store._door.transaction():
                    store._door.run("INSERT INTO layout VALUES (7)")
                    postgres.run(KILL.format("INSERT INTO layout"))
                    for _ in range(2):
                        with pytest.raises(JournalError, match="the connection is lost"):
                            store._door.run("INSERT INTO layout VALUES (8)")

            with pytest.raises(JournalError, match="the connection is lost"):
                insist()
            assert list(store._door.found("SELECT version FROM layout")) == [(1,)]

    def test_server_dies(self, postgres: Server) -> None:
        """A server that dies keeps what was committed; until it runs again, every call says that it does not."""
        with opened(postgres) as store:
            store.write([head(1), row(1, 1)])
            postgres.stop(how=signal.SIGQUIT)
            try:
                with pytest.raises(JournalError, match="the connection is lost"):
                    store.write([row(1, 2)])
                with pytest.raises(JournalError, match="the server cannot be reached"):
                    store.write([row(1, 2)])
            finally:
                postgres.start()
            store.write([row(1, 2)])
            assert list(store.rows(1)) == [row(1, 1), row(1, 2)]

    def test_locked(self, postgres: Server) -> None:
        """What others keep locked is waited for, for a time."""
        with opened(postgres) as first, opened(postgres, busy_s=0.05) as second:
            with first._door.transaction():
                first._door.lock_out()
                with pytest.raises(JournalError, match=r"others keep it locked\. Wait until they have ended"):
                    second.write([row(1, 1)])
                assert second.heads() == []  # reading waits for nobody
            second.write([row(1, 1)])

    def test_deletes_alone(self, postgres: Server) -> None:
        """Nothing is deleted while another writes, who may refer to a text that seems to be nobody's any more."""
        body, large = kept("x" * 2000)
        with opened(postgres, busy_s=0.05) as store, opened(postgres) as other:
            store.write([head(1), row(1, 1, body=body, texts=(large,))])
            with other._door.transaction():
                other._door.run("INSERT INTO texts VALUES (?, ?, 0) ON CONFLICT DO NOTHING", (large.digest, b""))
                with pytest.raises(JournalError, match="others keep it locked"):
                    store.delete([1])
                other._door.run("INSERT INTO log VALUES (2, 1, 'event', '', ?, '')", (body,))
            store.delete([1])
            assert store.texts([large.digest]) == {large.digest: large}

    def test_texts_in_order(self, postgres: Server) -> None:
        """Texts are written in the order of their digests, so that no two writers wait for each other."""
        low, high = Text(b"1", b"content", False), Text(b"9", b"content", False)
        add = "INSERT INTO texts VALUES (?, ?, 0)"
        with opened(postgres) as store, opened(postgres, busy_s=0.05) as other, ThreadPoolExecutor() as threads:
            with other._door.transaction():
                other._door.run(add, (low.digest, low.content))
                writing = threads.submit(store.write, [row(1, 1, texts=(high, low))])
                while postgres.run("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
                    assert not writing.done()
                other._door.run(add, (high.digest, high.content))
            writing.result()
            assert len(store.texts([low.digest, high.digest])) == 2

    def test_details(self, postgres: Server) -> None:
        """What a row says stands in no error."""
        values = ["canary"] * 2
        with opened(postgres) as store, pytest.raises(JournalError, match="this cannot be done") as caught:
            store._door.run("INSERT INTO owners (name, machine) VALUES (?, ?)", values)
        assert "canary" not in "".join(traceback.format_exception(caught.value))
