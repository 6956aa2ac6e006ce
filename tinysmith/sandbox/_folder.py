"""A sandbox's files on the host: made before anything runs, and taken away.

What runs in the sandbox is hostile. So once something has run, nothing here opens a file or follows a link: files
are read and copied from within the sandbox alone.
"""

import errno
import os
import secrets
import stat
import subprocess
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, evolve, field

from tinysmith.errors import EnvironmentLost, SandboxUnavailable, UsageError
from tinysmith.sandbox._leftovers import OWNED, PREFIX, leftovers, own
from tinysmith.sandbox.spec import Bind
from tinysmith.sandbox.tree import Entry, Tree, parents_of

PROGRAMS = tuple(name for name in ("bin", "sbin", "lib", "lib32", "lib64") if (Path("/") / name).exists())
"""What lies beside /usr, or is a link into it: shown as folders, which nobody within can take away."""

_MOUNTED = ("usr", "proc", "dev", "etc", *PROGRAMS)
_FOLDERS = {"home": 0o755, "root": 0o700, "run": 0o755, "tmp": 0o1777, "var": 0o755, "var/tmp": 0o1777}
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "hostname": "sandbox\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
SHOWN_ETC = tuple(
    name
    for name in ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
    if (Path("/etc") / name).exists()
)
"""What is shown of the host's /etc."""

_seen: set[tuple[int, Path]] = set()  # processes, this one's ancestors too, and temporary folders

_FULL = (errno.ENOSPC, errno.EDQUOT)
_OF_THE_HOST = (*_FULL, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)

_TAKE_AWAY = ("/bin/rm", "-rf", "--one-file-system")
_OPEN_UP = ("/bin/chmod", "-R", "u+rwx")

_SPARE_UIDS = range(1_900_000_000, 2_100_000_000)  # nobody's, and beyond those that containers are given


def spare_uid() -> int | None:
    """A user id that nobody has, where we are root; None where we are not."""
    if os.geteuid():
        return None
    return _SPARE_UIDS[secrets.randbelow(len(_SPARE_UIDS))]


@define(eq=False)
class Folder:
    """A place on the host with a sandbox's files in `root` and its `/etc`.

    Attributes:
        place: A folder of its own, of which others on the host learn nothing.
        root: What is `/` in the sandbox.
        etc: What is `/etc` in it, read-only.
        uid: Whose the files are; None for ours.
    """

    place: Path
    root: Path
    etc: Path
    uid: int | None
    _process: int = field(factory=os.getpid, init=False)
    _remove: "weakref.finalize[[Path, int, int], Folder]" = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._remove = weakref.finalize(self, _remove_ours, self.place, own(self.place), self._process)

    @classmethod
    def make(cls, uid: int | None) -> "Folder":
        """An empty place, where this process keeps what is temporary.

        Raises:
            SandboxUnavailable: The sandbox's user may not pass to there, or nothing can be made there.
        """
        temporary = _temporary()
        _take_leftovers_away(temporary)
        try:
            place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary))
        except OSError as error:
            raise _unavailable(temporary, error) from error
        closed = [] if uid is None else [each for each in place.parents if not each.stat().st_mode & stat.S_IXOTH]
        if closed:
            place.rmdir()
            problem = f"Sandboxes are made in {place.parent}, and only root may pass {closed[0]}"
            raise SandboxUnavailable(f"{problem}; name another folder with TMPDIR, such as /tmp.")
        if uid is not None:
            place.chmod(0o711)  # the sandbox's user may pass, and see nothing
        try:
            return cls(place, place / secrets.token_hex(16), place / secrets.token_hex(16), uid)
        except OSError as error:
            place.rmdir()
            raise _unavailable(temporary, error) from error

    def fill(self, tree: Tree, cwd: str, binds: Sequence[Bind] = ()) -> None:
        """Makes the files, in a root that is not there yet, and what is needed to mount on.

        Raises:
            UsageError: Something would lie where the sandbox has its own, or the host cannot hold it.
            SandboxUnavailable: Nothing can be made on the host now.
        """
        within = [entry for entry in tree.entries if not entry.path.startswith("/etc/")]
        _refuse_reserved(within, binds)
        self.make_root()
        with _told(self.place):
            for name in _MOUNTED:
                self._own(_made(self.root / name), 0o755)
            for name, mode in _FOLDERS.items():
                self._own(_made(self.root / name), mode)
            self._put(self.root, within)
            self._folders(self.root, cwd)
            for bind in binds:
                self._mount_point(bind)
            self._finish(self.root, within)

    def make_root(self) -> None:
        """Makes an empty root."""
        with _told(self.place):
            self.root.mkdir()
            self._own(self.root, 0o755)

    def make_etc(self, tree: Tree) -> None:
        """Makes `/etc`, with what the tree has there.

        Raises:
            UsageError: The tree has something that is shown of the host's.
        """
        entries = [_beneath_etc(entry) for entry in tree.entries if entry.path.startswith("/etc/")]
        ours = [entry.path for entry in entries if entry.path.split("/")[1] in SHOWN_ETC]
        if ours:
            raise UsageError(f"The tree has /etc{ours[0]}, which is the host's in every sandbox; leave it out.")
        with _told(self.place):
            _made(self.etc)
            for name, text in _ETC.items():
                if f"/{name}" not in {entry.path for entry in entries}:
                    (self.etc / name).write_text(text, encoding="ascii")
                    (self.etc / name).chmod(0o644)
            for name in SHOWN_ETC:  # to mount on
                _made(self.etc / name) if (Path("/etc") / name).is_dir() else (self.etc / name).touch()
            self._put(self.etc, entries)
            self._finish(self.etc, entries)

    def open_up(self) -> None:
        """Sees to it that the root can be entered, which a command may have closed to itself and all others."""
        with suppress(FileNotFoundError):  # the sandbox was closed meanwhile, which whoever asks will notice
            mode = self.root.stat().st_mode
            if mode & stat.S_IRWXU != stat.S_IRWXU:
                self.root.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)

    def empty(self) -> None:
        """Takes the root away."""
        _remove(self.root)

    def remove(self) -> None:
        """Takes all away; doing so again does nothing, and tries again where it failed."""
        if self._remove.alive and self._process == os.getpid():
            remove_place(self.place)
        self._remove()

    def _mount_point(self, bind: Bind) -> None:
        if bind.source.is_dir():
            self._folders(self.root, bind.target)
            return
        self._folders(self.root, _parent(bind.target))
        path = self.root / bind.target[1:]
        path.touch()
        self._own(path, 0o644)

    def _put(self, top: Path, entries: Sequence[Entry]) -> None:
        for entry in entries:
            path = top / entry.path[1:]
            self._folders(top, _parent(entry.path))
            if entry.kind == "dir":
                path.mkdir(exist_ok=True)
            elif entry.kind == "link":
                path.symlink_to(entry.target)
            else:
                with path.open("xb") as file:
                    file.write(entry.data)
            self._own(path, {"link": None, "file": entry.mode}.get(entry.kind, 0o755))

    def _finish(self, top: Path, entries: Sequence[Entry]) -> None:
        """Gives folders their modes, which may close them to us, and all their times, when all is made."""
        for entry in sorted(entries, key=lambda entry: entry.path.count("/"), reverse=True):
            path = top / entry.path[1:]
            if entry.kind == "dir":
                path.chmod(entry.mode)
            if entry.mtime_s is not None:
                os.utime(path, (entry.mtime_s, entry.mtime_s), follow_symlinks=False)

    def _folders(self, top: Path, path: str) -> None:
        missing = []
        while path != "/" and not (top / path[1:]).exists():
            missing.append(top / path[1:])
            path = _parent(path)
        for folder in reversed(missing):
            self._own(_made(folder), 0o755)

    def _own(self, path: Path, mode: int | None = None) -> None:
        if self.uid is not None:
            os.lchown(path, self.uid, self.uid)
        if mode is not None:
            path.chmod(mode)  # after the owner, whose change would take away setuid bits


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """Where what the host refuses is the fault of the tree, or of the host itself."""
    try:
        yield
    except OSError as error:
        if error.errno in _OF_THE_HOST or not os.access(place, os.W_OK | os.X_OK):
            raise _unavailable(place.parent, error) from error
        name = f": {Path(os.fsdecode(error.filename)).name}" if error.filename else ""
        problem = f"The sandbox's tree cannot be made: {error.strerror}{name}"
        raise UsageError(f"{problem}; change the tree.") from error


def _unavailable(temporary: Path, error: OSError) -> SandboxUnavailable:
    problem = f"Sandboxes are made in {temporary}, where nothing can be now: {error.strerror}"
    advice = "free some space there" if error.errno in _FULL else "mend that"
    return SandboxUnavailable(f"{problem}; {advice}, or name another folder with TMPDIR.")


def _temporary() -> Path:
    """Where this process keeps what is temporary."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        problem = f"Sandboxes are made in a temporary folder, and there is none: {error.strerror}"
        raise SandboxUnavailable(f"{problem}; free some space there, or name another with TMPDIR.") from error


def _beneath_etc(entry: Entry) -> Entry:
    return evolve(entry, path=entry.path.removeprefix("/etc"))


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _made(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o755)  # whatever our umask is: the sandbox's user must pass
    return folder


def _refuse_reserved(tree: Sequence[Entry], binds: Sequence[Bind]) -> None:
    """Refuses what would lie where the sandbox has its own, and binds through what is no folder."""
    kinds = {entry.path: entry.kind for entry in tree}
    for path in [*kinds, *(bind.target for bind in binds)]:
        is_ours = path == "/" or path.split("/")[1] in _MOUNTED
        if is_ours or (path[1:] in _FOLDERS and kinds.get(path, "dir") != "dir"):
            raise UsageError(f"{path} is the sandbox's own; put it somewhere else, such as /data.")
    targets = [bind.target for bind in binds]
    for bind in binds:
        outer = [path for path in parents_of(bind.target) if path in targets]
        if outer:
            problem = f"{bind.target} lies beneath {outer[0]}, which is shown read-only"
            raise UsageError(f"Bind: {problem}; show it somewhere else.")
        wrong = [path for path in (bind.target, *parents_of(bind.target)) if kinds.get(path, "dir") == "link"]
        if wrong:
            raise UsageError(f"Bind: {wrong[0]} is a link in the tree; show {bind.source.name} somewhere else.")


def _remove_ours(place: Path, lock: int, process: int) -> None:
    if os.getpid() == process:  # and not one that was forked from it
        try:
            remove_place(place)
        except EnvironmentLost:
            _seen.discard((process, place.parent))  # whoever makes the next one takes it away
            raise
        finally:
            os.close(lock)


def _take_leftovers_away(temporary: Path) -> None:
    """Takes away what killed processes have left, the first time that this one makes something where it was."""
    if (os.getpid(), temporary) in _seen:
        return
    _seen.add((os.getpid(), temporary))
    for place in leftovers(temporary):
        with suppress(EnvironmentLost):  # who makes another sandbox need not know
            remove_place(place)


def remove_place(place: Path) -> None:
    """Takes a place away; what says whose it is last, so that somebody else goes on where we are killed."""
    with suppress(OSError):  # where it cannot be listed all goes at once, and where it is gone it is gone
        _remove(*(path for path in place.iterdir() if path.name != OWNED))
        (place / OWNED).unlink(missing_ok=True)
        place.rmdir()
    _remove(place)


def _remove(*folders: Path) -> None:
    """Takes folders away, by a program: here each level of a deep one would take a file descriptor of ours."""
    said = ""
    for command in (_TAKE_AWAY, _OPEN_UP, _TAKE_AWAY):  # they follow no links
        words = [*command, "--", *(str(folder) for folder in folders if os.path.lexists(folder))]
        if words[-1] == "--":
            return
        try:
            done = subprocess.run(words, check=False, capture_output=True, env={})  # noqa: S603  # constants
        except OSError as error:
            said = error.strerror or ""
        else:
            said = done.stderr.decode(errors="replace").strip()
    left = [folder for folder in folders if os.path.lexists(folder)]
    if left:
        raise EnvironmentLost(f"{left[0]} cannot be taken away: {said[:200]}; mend that, and close it again.")
