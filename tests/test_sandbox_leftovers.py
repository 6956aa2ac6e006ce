"""What killed processes have left of their sandboxes, and who takes it away."""

import fcntl
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from sandboxes import (
    USER,
    as_root_and_as_user,
    as_user,
    become,
    living,
    names_in,
    needs_root,
    sandbox,
    says,
    wait_until,
)

from tinysmith.sandbox._folder import remove_place
from tinysmith.sandbox._leftovers import PREFIX, leftovers, own


def place_in(temporary: Path) -> Path:
    """A new place."""
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary))


class TestLeftovers:
    def test_a_place_is_left_when_its_process_has_ended(self, tmp_path: Path) -> None:
        """While its file descriptor is open a place is owned, in every process that has it; then it is left."""
        place = place_in(tmp_path)
        lock = own(place)
        assert list(leftovers(tmp_path)) == []
        copy = os.dup(lock)
        os.close(lock)
        assert list(leftovers(tmp_path)) == []
        os.close(copy)
        assert list(leftovers(tmp_path)) == [place]

    def test_one_takes_it_away(self, tmp_path: Path) -> None:
        """While somebody looks at a place that is left nobody else does."""
        os.close(own(place_in(tmp_path)))
        for _ in leftovers(tmp_path):
            assert list(leftovers(tmp_path)) == []
        assert len(list(leftovers(tmp_path))) == 1

    def test_what_is_no_place_is_left_alone(self, tmp_path: Path) -> None:
        """Other names, files, links, and a place that is not yet owned, are nobody's leftovers."""
        os.close(own(place := place_in(tmp_path)))
        place.rename(tmp_path / "other")
        (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "other")
        (tmp_path / f"{PREFIX}file").touch()
        place_in(tmp_path)
        os.close(own(linked := place_in(tmp_path)))
        (linked / "owned").rename(linked / "moved")
        (linked / "owned").symlink_to(linked / "moved")
        assert list(leftovers(tmp_path)) == []

    def test_what_was_never_owned_is_taken_away_in_the_end(self, tmp_path: Path) -> None:
        """A place whose process was killed just after it made it is empty, and goes when that is long ago."""
        old, locking, young, full = (place_in(tmp_path) for _ in range(4))
        for place in (locking, young):
            (place / "not-yet-owned").touch()
        (full / "note.txt").touch()
        for place in (old, locking, full):
            os.utime(place, (0, 0))
        assert list(leftovers(tmp_path)) == []
        assert sorted(tmp_path.iterdir()) == sorted([young, full])

    def test_where_one_may_not_look(self) -> None:
        """In a temporary folder that is not one's own to list, nobody's leftovers are found, and no fault."""

        def work() -> list[Path]:
            temporary = Path(tempfile.gettempdir())
            os.close(own(place := place_in(temporary)))
            temporary.chmod(0o300)
            found = list(leftovers(temporary))
            temporary.chmod(0o700)
            remove_place(place)
            return found

        assert as_user(work) == []

    @needs_root
    def test_others_places_are_left_alone(self, tmp_path: Path) -> None:
        """What another user has made to look like ours is not touched."""
        os.close(own(place := place_in(tmp_path)))
        os.chown(place, USER, USER)
        assert list(leftovers(tmp_path)) == []

    def test_where_there_are_no_locks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a file system without locks a place can be made, and nobody takes it for left."""

        def flock(*_: int) -> None:
            raise OSError("no locks available")

        with monkeypatch.context() as patch:
            patch.setattr(fcntl, "flock", flock)
            os.close(own(place_in(tmp_path)))
        assert list(leftovers(tmp_path)) == []


@as_root_and_as_user
def test_what_a_killed_process_left_is_taken_away() -> None:
    """Whoever makes a sandbox takes away the files of killed owners, and those of no living one."""
    kept = sandbox({"/home/note.txt": "kept"})
    child = os.fork()
    if not child:
        try:
            box = sandbox({"/home/a/b/c": ""})
            box.exec("mkdir -p /tmp/deep/deeper; chmod 0 /tmp/deep /home/a; sleep 0.1 &")
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    assert wait_until(lambda: living() == set())
    assert len(names_in(tempfile.gettempdir())) == 2
    child = os.fork()
    if not child:
        with sandbox():
            count = len(names_in(tempfile.gettempdir()))
        os._exit(count)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert says(kept, "cat /home/note.txt") == "kept"
    kept.close()


def test_a_closed_place_is_taken_away() -> None:
    """A command that no sandbox holds may have closed it, to its owner as well."""

    def work() -> list[Path]:
        temporary = Path(tempfile.gettempdir())
        os.close(own(place := place_in(temporary)))
        (place / "a").mkdir()
        place.chmod(0)
        remove_place(place)
        return list(temporary.iterdir())

    assert as_user(work) == []


@needs_root
def test_what_cannot_be_taken_away_stops_nobody() -> None:
    """A leftover that resists is passed by."""

    def work() -> str:
        os.close(own(place := place_in(Path(tempfile.gettempdir()))))
        os.seteuid(0)
        (place / "roots" / "own").mkdir(parents=True)
        os.seteuid(USER)
        with sandbox() as box:
            said = says(box, "echo on")
        assert (place / "roots").exists()
        os.seteuid(0)
        shutil.rmtree(place)
        return said

    assert become("user", work) == "on"


def killed_at(count: int, place: Path) -> bool:
    """Whether a process that takes a place away was killed when it was about to take so many steps."""
    child = os.fork()
    if not child:
        left = iter(range(count))
        watched = {"subprocess.Popen", "os.remove", "os.rmdir"}

        def hook(event: str, _: object) -> None:
            if event in watched and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        remove_place(place)
        watched.clear()  # what measures coverage takes files away, too
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def test_who_is_killed_while_he_takes_it_away_leaves_it_to_the_next(tmp_path: Path) -> None:
    """Whenever that is, somebody else finds what is left, until the place is empty."""
    counts = []
    for count in range(20):
        os.close(own(place := place_in(tmp_path)))
        (place / "a" / "b").mkdir(parents=True)
        (place / "z").mkdir()
        (place / "z" / "note.txt").touch()
        if not killed_at(count, place):
            break
        counts.append(count)
        assert list(leftovers(tmp_path)) == [place] or list(place.iterdir()) == []
        remove_place(place)
    assert len(counts) == 3
    assert list(tmp_path.iterdir()) == []
