"""What is found of files without a name, however they are held."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sandboxes import as_root_and_as_user, as_user, become, sandbox

from tinysmith.sandbox import SandboxLimits
from tinysmith.sandbox._held import BEYOND, held

MEBIBYTE = 1 << 20
_NAMELESS = """
import mmap, os, sys, threading, time
def nameless(name, size):
    file = os.open(name, os.O_RDWR | os.O_CREAT)
    os.unlink(name)
    os.write(file, b"x" * size)
    return file
"""
_ONE_PAGE = """
file = nameless("big", 1 << 20)
page = mmap.mmap(file, 4096, offset=8192)
other = mmap.mmap(file, 4096)
os.closerange(3, 256)
"""
_NAMED = """
file = os.open("named", os.O_RDWR | os.O_CREAT)
os.write(file, b"x" * (1 << 20))
whole = mmap.mmap(file, 1 << 20)
"""
_IN_MEMORY = """
file = os.memfd_create("data")
os.write(file, b"x" * (1 << 20))
whole = mmap.mmap(file, 1 << 20)
"""
_FIRST_ENDS = """
import ctypes
file = nameless("big", 1 << 20)
whole = mmap.mmap(file, 1 << 20)
os.closerange(3, 256)
def stay():
    time.sleep(0.1)
    print(flush=True)
    time.sleep(60)
threading.Thread(target=stay).start()
ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)
"""
_OPENING = """
file = os.dup2(nameless("big", 1 << 20), 200)
def opens():
    while True:
        os.close(os.open("/dev/null", os.O_RDONLY))
threading.Thread(target=opens).start()
"""
_ODD_NAME = """
file = os.open("a\\rb\\x1c\\n\\u2028 (deleted)", os.O_RDWR | os.O_CREAT)
os.write(file, b"x" * 4096)
page = mmap.mmap(file, 4096)
time.sleep(0.3)
"""
_MANY = """
place = "/tmp"
for number in range(15):
    place += "/" + "a" * 250
    os.mkdir(place)
os.chdir(place)
file = nameless("one", 4096)
pages = []
while True:
    for number in range(200):
        pages.append(mmap.mmap(file, 4096))
        os.closerange(file + 1, 256)
    time.sleep(0.02)
"""


@contextmanager
def holding(program: str) -> Iterator[int]:
    """A process that holds something, and has said so."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["/usr/bin/python3", "-c", f"{_NAMELESS}{program}\nprint(flush=True)\ntime.sleep(60)"]
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()
            process.communicate()


class TestHeld:
    @pytest.mark.parametrize(("who", "least"), [("root", MEBIBYTE), ("user", 3 * 4096)])
    def test_a_page_stands_for_the_whole_file(self, who: str, least: int) -> None:
        """To root a file counts wholly where a page of it is mapped; to a user, who may not ask, up to there."""

        def work() -> None:
            with holding(_ONE_PAGE) as process:
                assert least <= held([process]) < least + MEBIBYTE

        become(who, work)

    @as_root_and_as_user
    def test_a_first_thread_that_has_ended_hides_nothing(self) -> None:
        """What a process has mapped counts while any thread of it is there."""
        with holding(_FIRST_ENDS) as process:
            assert held([process]) >= MEBIBYTE

    @as_root_and_as_user
    def test_a_file_in_memory_is_none_on_the_disk(self) -> None:
        """What is in memory alone, as is a command's standard input, does not count, be it open and mapped."""
        with holding(_IN_MEMORY) as process:
            assert held([process]) == 0

    @as_root_and_as_user
    def test_a_file_with_a_name_counts_elsewhere(self) -> None:
        """A file that has a name is counted where that is, and not here, be it open and mapped."""
        with holding(_NAMED) as process:
            assert held([process]) == 0

    def test_what_is_closed_meanwhile_hides_nothing_else(self) -> None:
        """A process that opens and closes files all the time is looked at to the end, each time."""

        def work() -> set[bool]:
            with holding(_OPENING) as process:
                return {held([process]) >= MEBIBYTE for _ in range(300)}

        assert as_user(work) == {True}

    def test_a_process_that_has_ended_holds_nothing(self) -> None:
        """A number that no process has any more is no error."""
        assert held([1 << 30, os.getpid()]) < BEYOND


class TestInSandboxes:
    @as_root_and_as_user
    def test_any_name_may_be_mapped(self) -> None:
        """A mapped file may be called as if it were none, and have what ends a line in its name."""
        with sandbox({"/held.py": _NAMELESS + _ODD_NAME}) as box:
            done = box.exec(["/usr/bin/python3", "/held.py"], cwd="/tmp")
            assert (done.exit_code, done.error_text) == (0, "")
            with box.open_session() as session:
                assert session.run("cd /tmp; python3 /held.py").exit_code == 0

    @as_root_and_as_user
    def test_more_mappings_than_are_looked_at_are_over_the_limit(self) -> None:
        """Whoever maps so much that looking would take long has passed the limit of the disk."""
        with sandbox({"/held.py": _NAMELESS + _MANY}, limits=SandboxLimits(wall_s=20.0)) as box:
            done = box.exec(["/usr/bin/python3", "/held.py"])
            assert done.ended_by == "disk_bytes", done.error_text
