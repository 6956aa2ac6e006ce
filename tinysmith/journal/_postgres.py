"""A journal in a schema of a PostgreSQL database, for many machines. The one file that uses psycopg."""

import importlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, NoReturn

from tinysmith._shown import one_line
from tinysmith.errors import JournalError, UsageError
from tinysmith.journal._rows import Taken
from tinysmith.journal._sql import LAYOUTS, Layouts, SqlStore

_URL = re.compile(r"postgres(ql)?://([^@/?#]*@)?[^@]*")
BUSY_S = 30.0
"""How long others' transactions are waited for."""

_LOCK = 0x74736D6A  # of all who look at the layout, or change it
_NOT_LET_IN = "the server does not let this user in. Check the user and the password."
_SIGNS = {  # in what libpq says when it cannot connect; servers say some of it in other languages
    "password": _NOT_LET_IN,
    "authentication": _NOT_LET_IN,
    "pg_hba.conf": _NOT_LET_IN,
    'role "': _NOT_LET_IN,
    'database "': "there is no such database. Make it first, for example with `createdb`.",
}
_PATIENCE = {"connect_timeout": 30, "tcp_user_timeout": 30_000}  # in seconds, and in milliseconds
_UNREACHABLE = "the server cannot be reached. Check that it runs, and its address."
_LOST = "the connection is lost. What was committed is kept; resume when the server runs again."
_REMEDIES = {  # by the first characters of the code of an error
    "08": _LOST,
    "57P": _LOST,
    "25006": "nothing can be written here. Open it on a server, and as a user, that may write.",
    "42501": (
        "this user may not do that. Grant it CREATE on the database, or make it the owner of a schema tinysmith."
    ),
    "42P01": "another program has changed its tables. Restore the database from a copy.",
    "53100": "the server's disk is full. What was committed is kept; free some space and resume.",
    "55P03": "others keep it locked. Wait until they have ended, and resume.",
}
_OTHERWISE = "this cannot be done. What was committed is kept."
_THINGS = """
SELECT relname FROM pg_class WHERE relnamespace = 'tinysmith'::regnamespace
UNION ALL SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'tinysmith'::regnamespace AND NOT tgisinternal
UNION ALL SELECT rulename FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
    WHERE relnamespace = 'tinysmith'::regnamespace
"""
_SETTINGS = """
SELECT set_config('search_path', 'tinysmith', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('default_transaction_read_only', ?, false),
    set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
    set_config('lock_timeout', ?, false)
"""


def postgres_store(url: str, *, read_only: bool, busy_s: float = BUSY_S, layouts: Layouts = LAYOUTS) -> SqlStore:
    """The store in a database's schema `tinysmith`, which is made if it is not there.

    Args:
        url: `postgresql://user:password@host:port/database`, or less, as libpq reads it.
        read_only: Whether nothing may be written.
        busy_s: How long others' transactions are waited for, in seconds.
        layouts: Every layout up to the one that is wanted.

    Raises:
        UsageError: psycopg is not installed, or the address cannot be read.
        JournalError: The database cannot be opened, or holds something else, or a journal of a newer version.
    """
    door = PostgresDoor(url, read_only=read_only, busy_s=busy_s)
    try:
        with door.transaction():
            door.open(layouts)
    except BaseException:
        door.close()
        raise
    return SqlStore(door)


class PostgresDoor:
    """One connection to a database; where it is lost, the next call makes another.

    Args:
        url: The address; its password is told to nobody but the server.
        read_only: Whether nothing may be written.
        busy_s: How long others' transactions are waited for.
    """

    def __init__(self, url: str, *, read_only: bool, busy_s: float) -> None:
        self._psycopg = _psycopg()
        self._parts = self._read(url)
        host, port = (self._parts.get(name) for name in ("host", "port"))
        place = f"{host or 'localhost'}{f':{port}' if port else ''}/{self._parts.get('dbname', '')}"
        self.place = one_line(f"postgresql://{place}")
        self._is_read_only = read_only
        self._busy_ms = round(busy_s * 1000)
        self._is_closed = False
        self._is_in_transaction = False
        self._connection = self._connected()

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement with `?` for its values, and says how many rows it changed."""
        return int(self._executed(statement, values).rowcount)

    def found(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds."""
        yield from self._executed(query, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is run within it holds, durably, or nothing of it."""
        try:
            self.run("BEGIN")
            self._is_in_transaction = True
            yield
            self.run("COMMIT")
        except BaseException:
            # Where the connection is lost, the server rolls back by itself.
            if not self._connection.closed and self._connection.info.transaction_status:
                self.run("ROLLBACK")
            raise
        finally:
            self._is_in_transaction = False

    def lock_out(self) -> None:
        """Keeps all other writers out until the end of the transaction."""
        self.run("LOCK TABLE runs, texts, log IN EXCLUSIVE MODE")  # in the order in which writers come to them

    def compact(self) -> None:
        """Makes the space of what was deleted free again, for the server if not for its disk."""
        self.run("VACUUM runs, texts, log")

    def close(self) -> None:
        """Gives the connection back."""
        self._is_closed = True
        self._connection.close()

    def _executed(self, statement: str, values: Sequence[Any]) -> Any:
        if self._is_closed:
            raise JournalError("it is closed. Open it again.", place=self.place)
        if self._connection.closed and not self._is_in_transaction:
            self._connection = self._connected()
        try:
            return self._connection.execute(statement.replace("?", "%s"), values)
        except self._psycopg.errors.UniqueViolation:
            raise Taken(self.place) from None
        except self._psycopg.Error as error:
            code = "08" if self._connection.closed else error.sqlstate or ""
            remedies = (remedy for sign, remedy in _REMEDIES.items() if code.startswith(sign))
            problem = next(remedies, _OTHERWISE)
            raise JournalError(f"{problem} (PostgreSQL: {self._said(error)})", place=self.place) from None

    def _read(self, url: str) -> dict[str, Any]:
        """The parts of an address. What libpq says of a bad one could have some of the password in it."""
        parts: dict[str, Any] = {}
        if _URL.fullmatch(url):
            with suppress(self._psycopg.ProgrammingError):
                parts = self._psycopg.conninfo.conninfo_to_dict(url)
        if not parts:
            raise UsageError(
                "The address of the database cannot be read. Write postgresql://user:password@host:port/database, "
                "with %40 for @ in the password, %2F for /, %3A for :, %3F for ?, %23 for # and %25 for %."
            )
        return parts

    def _connected(self) -> Any:
        parts = {**_PATIENCE, **self._parts, "client_encoding": "utf8"}
        try:
            connection = self._psycopg.connect(**parts, autocommit=True)
            settings = ["on" if self._is_read_only else "off", f"{self._busy_ms}ms"]
            connection.execute(_SETTINGS.replace("?", "%s"), settings)
        except self._psycopg.Error as error:
            said = self._said(error)
            problem = next((remedy for sign, remedy in _SIGNS.items() if sign in said), _UNREACHABLE)
            raise JournalError(f"{problem} (PostgreSQL: {said})", place=self.place) from None
        return connection

    def _said(self, error: Any) -> str:
        # Not the details, in which whole rows may stand.
        said = (error.diag.message_primary or str(error)).replace(self._parts.get("password") or "\0", "…")
        return one_line(" ".join(said.split()), width=300)

    def open(self, layouts: Layouts) -> None:
        """Brings the layout to the newest version, in the transaction that is open.

        Args:
            layouts: Every layout up to the one that is wanted.
        """
        if not self._is_read_only:
            self.run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
        ((is_there,),) = self.found("SELECT count(*) FROM pg_namespace WHERE nspname = 'tinysmith'")
        version = self._version(layouts) if is_there else 0
        if self._is_read_only:
            if version != len(layouts):
                self._refuse(version)
            return
        if not is_there:
            self.run("CREATE SCHEMA tinysmith")
        if not version:
            self.run("CREATE TABLE layout (version BIGINT NOT NULL)")
            self.run("INSERT INTO layout VALUES (0)")
        for number, layout in enumerate(layouts[version:], start=version + 1):
            for statement in layout:
                self.run(_translated(statement))
            self.run("UPDATE layout SET version = ?", (number,))

    def _version(self, layouts: Layouts) -> int:
        """The version of the layout in the schema; 0 if there is nothing in it."""
        things = [name for (name,) in self.found(_THINGS)]
        if not things:
            return 0  # somebody has made the schema so that this user may use it
        versions = list(self.found("SELECT version FROM tinysmith.layout")) if "layout" in things else []
        ((version,),) = versions if len(versions) == 1 else [(0,)]  # another program's table may have any rows
        if version > len(layouts):
            problem = (
                f"it was written by a newer tinysmith (layout {version}; this one knows up to {len(layouts)})."
            )
            raise JournalError(f"{problem} Use that one.", place=self.place)
        strange = _made(layouts[:version]) ^ frozenset(things)
        if strange or version < 1:
            names = one_line(", ".join(sorted(strange or things)))
            problem = (
                f"another program uses, or has changed, its schema tinysmith: {names}. Name another database."
            )
            raise JournalError(problem, place=self.place)
        return int(version)

    def _refuse(self, version: int) -> NoReturn:
        if version == 0:
            raise JournalError("there is no journal in this database. Check the address.", place=self.place)
        problem = f"it was written by an older tinysmith (layout {version}). Open it once for writing."
        raise JournalError(problem, place=self.place)


def _translated(statement: str) -> str:
    """A layout's statement in PostgreSQL's words."""
    return statement.replace("INTEGER", "BIGINT").replace("BLOB", "BYTEA")


def _made(layouts: Layouts) -> frozenset[str]:
    """The names of what layouts make."""
    names = {"layout"}
    for statement in (statement for layout in layouts for statement in layout):
        if made := re.match(r"CREATE (?:TABLE|(?:UNIQUE )?INDEX) (\w+)", statement):
            names.add(made[1])
            if "PRIMARY KEY" in statement:
                names.add(f"{made[1]}_pkey")
    return frozenset(names)


def _psycopg() -> ModuleType:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        problem = "A journal in PostgreSQL needs psycopg, which is missing. Run `pip install 'psycopg[binary]'`."
        raise UsageError(problem) from error
