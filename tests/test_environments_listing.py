"""What files are in a sandbox: asked from within, believed only as far as it can be read."""

import asyncio
import gzip
import hashlib
import os
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxes import ShutSandbox, needs_sandbox, sandbox

from tinysmith.environments._listing import Listed, Listing, first_listing, listing, parsed, stamps
from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox import Entry, Executed, Sandbox, SandboxLimits, SandboxSpec, Session, Tree
from tinysmith.sandbox.bubblewrap import Bubblewrap
from tinysmith.sandbox.sandbox import Stop

TREE = Tree(
    (
        Entry("/work", "dir", 0o755),
        Entry("/work/a.txt", data=b"alpha", mtime_s=1_000_000_000.0),
        Entry("/work/run", mode=0o755, data=b"echo"),
        Entry("/work/link", "link", target="a.txt"),
    )
)
HASH = "0" * 32
KEEPS_NO_TIMES = bool(os.statvfs(tempfile.gettempdir()).f_flag & os.ST_NOATIME)


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Saying(Sandbox):
    """A sandbox that answers each command alike."""

    def __init__(self, stdout: bytes, **done: Any) -> None:
        self.spec = SandboxSpec()
        self.done = Executed(stdout, b"", **{"exit_code": 0, **done})

    def exec(self, *_: Any, **__: Any) -> Executed:
        return self.done

    def open_session(self) -> Session:
        raise NotImplementedError

    def fork(self, *, stop: Stop | None = None) -> Sandbox:
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class TestParsed:
    def test_all(self) -> None:
        """Kinds, modes, sizes, targets and hashes are read; names may hold anything but NUL."""
        data = (
            b"d\x00755\x004096\0\0/w\0"
            b"f\x00744\x003\0\0/w/a\nf b\xff\0"
            b"l\x00777\x001\0../x\0/w/l\0"
            b"\0" + HASH.encode() + b"  /w/a\nf b\xff\0end\0"
        )
        assert parsed(data, {}) == {
            "w": Listed("d", True, 4096),
            "w/a\nf b\udcff": Listed("f", True, 3, md5=HASH),
            "w/l": Listed("l", True, 1, "../x"),
        }

    @pytest.mark.parametrize(("size", "kind", "found"), [(b"3", b"f", HASH), (b"4", b"f", ""), (b"3", b"l", "")])
    def test_first(self, size: bytes, kind: bytes, found: str) -> None:
        """A file without a hash has the first one, unless its size is another or it was something else."""
        data = kind + b"\x00644\0" + size + b"\0\0/a\0\0end\0"
        assert parsed(data, {"a": Listed("f", size=3, md5=HASH)})["a"].md5 == found

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"", "has no end"),
            (b"\0", "has no end"),
            (b"f\x00644\x003", "breaks off"),
            (b"f\x009\x003\0\0a\0\0end\0", "invalid literal"),
            (b"f\x00644\0x\0\0a\0\0end\0", "invalid literal"),
        ],
    )
    def test_broken(self, data: bytes, problem: str) -> None:
        """What is no list of files is refused."""
        with pytest.raises(ValueError, match=problem):
            parsed(data, {})

    @given(
        st.lists(st.sampled_from([b"f", b"644", b"3", b"", b"/a", b"end", b"\xff"]), max_size=15).map(b"\0".join)
    )
    def test_any(self, data: bytes) -> None:
        """Any answer is a list of files, or refused as none."""
        try:
            found = parsed(data, {})
        except ValueError:
            return
        assert all(isinstance(each, Listed) for each in found.values())


class TestHostile:
    @pytest.mark.parametrize(
        ("stdout", "problem"),
        [
            (b"", r"cut off \(exit code 0\)"),
            (b"no gzip", "incorrect header check"),
            (gzip.compress(b"f\0", mtime=0), "breaks off"),
            (gzip.compress(b"f" * 100, mtime=0)[:-9], "cut off"),
        ],
    )
    def test_answer(self, stdout: bytes, problem: str) -> None:
        """An answer that is no packed list of files means that the environment is lost."""
        with pytest.raises(EnvironmentLost, match=f"files cannot be listed: .*{problem}"):
            asyncio.run(listing(Saying(stdout), {}, b""))

    def test_huge(self) -> None:
        """An answer that is huge unpacked cannot be told, whole or cut off; one of 16 MiB can."""
        entry = b"f\x00644\x003\0\0/%b\0\0end\0"
        huge = gzip.compress(entry % (b"x" * (16 << 20)), mtime=0)
        for packed in (huge, huge[:-9]):
            assert asyncio.run(listing(Saying(packed), {}, b"")) is None
        name = b"x" * ((16 << 20) - len(entry % b""))
        found = asyncio.run(listing(Saying(gzip.compress(entry % name, mtime=0)), {}, b""))
        assert list(found or {}) == [name.decode()]

    def test_limit(self) -> None:
        """First files beyond a limit mean that the environment is lost; later ones cannot be told."""
        with pytest.raises(EnvironmentLost, match="within its limit output_bytes; raise that limit"):
            asyncio.run(stamps(Saying(b"", ended_by="output_bytes")))
        assert asyncio.run(listing(Saying(b"", ended_by="files"), {}, b"")) is None


@needs_sandbox
class TestListing:
    @staticmethod
    def after(command: str, *, is_stamped: bool = True) -> tuple[Listing, Listing]:
        """What a tree holds, and what is there after a command."""
        first = first_listing(TREE)

        async def ask() -> Listing:
            async with Bubblewrap().create(SandboxSpec(tree=TREE)) as box:
                stamped = await stamps(box) if is_stamped else b""
                await box.aexec(command)
                return await listing(box, first, stamped) or {}

        return first, asyncio.run(ask())

    @pytest.mark.parametrize("is_stamped", [True, False])
    def test_nothing(self, *, is_stamped: bool) -> None:
        """After nothing it is what the tree holds, read or not, beside /tmp."""
        first, found = self.after("true", is_stamped=is_stamped)
        files = {path: each for path, each in found.items() if each.kind == "f"}
        assert files == {path: each for path, each in first.items() if each.kind == "f"}
        assert found["work/link"].target == "a.txt"
        assert sorted(found) == ["tmp", "work", "work/a.txt", "work/link", "work/run"]

    def test_changes(self) -> None:
        """What changed, came and went is found, also where size and date are as before, or a name is strange."""
        _, found = self.after(
            "cd /work; printf gamma > a.txt; touch -d @1000000000 a.txt; rm link; chmod -x run; "
            "printf new > $'b\\nc d\\xff'; mkfifo pipe; echo x > /root/x; touch /home/y"
        )
        assert found["work/a.txt"] == Listed("f", size=5, md5=md5(b"gamma"))
        assert found["work/run"] == Listed("f", size=4, md5=md5(b"echo"))
        assert found["work/b\nc d\udcff"] == Listed("f", size=3, md5=md5(b"new"))
        assert found["work/pipe"].kind == "p"
        assert not {"work/link", "root", "root/x", "home/y"} & set(found)

    def test_unreadable(self) -> None:
        """A file that nobody may read is as it was, unless its size says otherwise."""
        _, found = self.after("chmod 0 /work/a.txt; printf longer > /work/run; chmod 0 /work/run")
        assert found["work/a.txt"].md5 == md5(b"alpha")
        assert found["work/run"].md5 == ""

    def test_not_read(self) -> None:
        """Untouched files are not read: the time of their last reading stays."""

        async def ask() -> bytes:
            async with Bubblewrap().create(SandboxSpec(tree=TREE)) as box:
                await listing(box, first_listing(TREE), await stamps(box))
                return (await box.aexec("stat -c %X /work/a.txt")).stdout

        assert asyncio.run(ask()) == b"1000000000\n"

    @pytest.mark.skipif(KEEPS_NO_TIMES, reason="the temporary folder is mounted with noatime")
    def test_read(self) -> None:
        """Where it is asked for, each file has been read when the stamps are taken; it is still untouched."""

        async def ask() -> tuple[Listing, str]:
            async with Bubblewrap().create(SandboxSpec(tree=TREE)) as box:
                found = await listing(box, {}, await stamps(box, reads=True)) or {}
                return found, (await box.aexec("find /work -name a.txt -amin -9")).text

        found, text = asyncio.run(ask())
        assert found["work/a.txt"].md5 == ""
        assert text == "/work/a.txt\n"

    def test_too_many(self) -> None:
        """More names than the sandbox may print cannot be told."""
        with sandbox({"/work/a": ""}, limits=SandboxLimits(output_bytes=2_000)) as box:
            box.exec("cd /work; for i in {1..400}; do mktemp XXXXXXXXXXXXXXXX; done")
            assert asyncio.run(listing(box, {}, b"")) is None

    def test_too_long(self) -> None:
        """Names that are too long together cannot be told, although they pack into what it may print."""
        with sandbox() as box:
            deep = "/".join(17 * ["a" * 200])
            box.exec(f"mkdir -p /work/{deep}; cd /work/{deep}; seq 6000 | xargs touch", wall_s=60.0)
            assert asyncio.run(listing(box, {}, b"")) is None

    def test_broken(self) -> None:
        """A root that nobody may enter cannot be told; where the links of the system lead does not matter."""
        with sandbox() as box:
            box.exec("ln -s /work /x; rm /bin; ln -s /work /bin")
            assert "x" in (asyncio.run(listing(box, {}, b"")) or {})
        with ShutSandbox(SandboxSpec()) as box:
            assert asyncio.run(listing(box, {}, b"")) is None
            with pytest.raises(EnvironmentLost, match="first files cannot be listed as nobody may enter /"):
                asyncio.run(stamps(box))
