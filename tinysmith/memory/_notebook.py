"""`Notebook`: lessons that outlive an episode, in one SQLite file. What is stored is text, never objects.

Charter: a connection lives for one call, in one transaction, so that threads and processes share nothing but
the file. SQLite's rollback journal, not its write-ahead log: notes are few, and the notebook stays one file that
can be copied, and read where it may not be written. `synchronous = EXTRA` is FULL, with the folder synced too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tinysmith._shown import encodable
from tinysmith.errors import DataError

_APPLICATION = 0x746D6E62
"""What tells a notebook from any other SQLite file: "tmnb"."""
_FORMAT = 1
_TABLE = (
    "CREATE TABLE note (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (topic, text))"
)
_SCHEMA = {(_TABLE,), (None,)}
"""As SQLite keeps it: the table, and the index behind its UNIQUE, which has no text of its own."""
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "Another program is holding it; end that, or try again.",
    sqlite3.SQLITE_CANTOPEN: "Check that it is a file, and that its folder is there and may be written in.",
    sqlite3.SQLITE_CORRUPT: "It is damaged; put back a copy, or move it away.",
    sqlite3.SQLITE_FULL: "Make room on the disk.",
    sqlite3.SQLITE_IOERR: "Check the disk, and what stands beside the file under its name.",
    sqlite3.SQLITE_NOTADB: "It is no notebook; give another path.",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable.",
}
_OTHER_REMEDY = "Check the file, or give another path."


class Notebook:
    """Notes by topic in one SQLite file, for any number of runs, threads and processes.

    Bind it when a run starts: `run(..., tools={"recall": notebook.recall, "note": notebook.note})`, by the names
    of the strategy's `Recall` and `Note` nodes.

    Args:
        path: The file; it is made where there is none, its folder is not.
        timeout_s: How long a call waits, in seconds, while others write.

    Raises:
        DataError: The file cannot be used, or is none of ours.
    """

    def __init__(self, path: Path | str, *, timeout_s: float = 30.0) -> None:
        self.path = Path(path).absolute()
        self.timeout_s = timeout_s
        with self._transaction() as connection:
            is_ready = self._is_ready(connection)
        if not is_ready:
            with self._transaction(writes=True) as connection:
                self._make_ready(connection)

    def __repr__(self) -> str:
        return f"Notebook({str(self.path)!r})"

    def recall(self, *, topic: str, most: int) -> list[str]:
        """The latest notes on a topic, oldest first.

        Raises:
            DataError: The file cannot be read.
        """
        query = "SELECT text FROM note WHERE topic = ? ORDER BY id DESC LIMIT max(?, 0)"
        with self._transaction() as connection:
            is_ready = self._is_ready(connection)
            rows = connection.execute(query, (encodable(topic), most)).fetchall() if is_ready else []
        return [text for (text,) in reversed(rows)]

    def note(self, *, topic: str, text: str) -> int:
        """Writes a note, and returns how many there are now on its topic; it is on the disk when this returns.

        A text that is there already on this topic becomes its latest note again; a blank one is not written. Half
        of a surrogate pair, which no file and no request can carry, is written as U+FFFD.

        Raises:
            DataError: The file cannot be written; nothing of the note is in it.
        """
        topic = encodable(topic)
        with self._transaction(writes=True) as connection:
            self._make_ready(connection)
            if text.strip():
                row = (topic, encodable(text))
                connection.execute("INSERT OR REPLACE INTO note (topic, text) VALUES (?, ?)", row)
            query = "SELECT count(*) FROM note WHERE topic = ?"
            count: int = connection.execute(query, (topic,)).fetchone()[0]
        return count

    def notes(self) -> dict[str, list[str]]:
        """All notes by topic, for people to read; topics and notes oldest first.

        Raises:
            DataError: The file cannot be read.
        """
        with self._transaction() as connection:
            query = "SELECT topic, text FROM note ORDER BY id"
            rows = connection.execute(query).fetchall() if self._is_ready(connection) else []
        found: dict[str, list[str]] = {}
        for topic, text in rows:
            found.setdefault(topic, []).append(text)
        return found

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction, which is committed as a whole, or not at all."""
        try:
            with closing(sqlite3.connect(self.path, self.timeout_s, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                # A writer takes its lock at once: two readers that both want to write would wait for each other.
                connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, ValueError) as error:  # a ValueError is about a path that cannot be
            kind = getattr(error, "sqlite_errorcode", 0) & 0xFF  # what is above that only says more of it
            remedy = _REMEDIES.get(kind, _OTHER_REMEDY)
            raise DataError(f"{self.path}: the notebook cannot be used: {error}. {remedy}") from error

    def _is_ready(self, connection: sqlite3.Connection) -> bool:
        """Whether the file is a notebook, and not an empty one that is to become one."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        schema = set(connection.execute("SELECT sql FROM sqlite_master"))
        if application == _APPLICATION and version != _FORMAT:
            problem = f"it is a notebook of format {version}, and this version reads format {_FORMAT}."
            raise DataError(f"{self.path}: {problem} Update tinysmith, or give another path.")
        # Our table to the letter: a view or a trigger would run what somebody else wrote.
        if (application, schema) not in ((_APPLICATION, _SCHEMA), (0, set())):
            raise DataError(f"{self.path}: it is an SQLite file, but no notebook. Give another path.")
        return bool(schema)

    def _make_ready(self, connection: sqlite3.Connection) -> None:
        if not self._is_ready(connection):
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
