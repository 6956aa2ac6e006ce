"""A Python interpreter in a sandbox, and what counts as its answer."""

import asyncio

import pytest
from sandboxes import needs_sandbox

from tinysmith.environments._python_session import PythonSession, Reply, Request, _reply, replies
from tinysmith.errors import EnvironmentLost
from tinysmith.sandbox import SandboxLimits, SandboxSpec
from tinysmith.sandbox.bubblewrap import Bubblewrap


@needs_sandbox
class TestSession:
    def test_no_python(self) -> None:
        """Where Python does not work in the sandbox, that is said."""

        async def begin() -> None:
            async with Bubblewrap().create(SandboxSpec(limits=SandboxLimits(memory_bytes=7 << 20))) as sandbox:
                await PythonSession.open(sandbox)

        with pytest.raises(EnvironmentLost, match=r"no /usr/bin/python3 of 3\.10 or later"):
            asyncio.run(begin())

    def test_replies(self) -> None:
        """An interpreter that ends answers what came before, and nothing more."""

        async def asked() -> list[Reply | None]:
            async with Bubblewrap().create(SandboxSpec()) as sandbox:
                codes = ["1", "__import__('os')._exit(0)", "2"]
                return await replies(sandbox, [Request("eval", code) for code in codes], wall_s=5)

        assert asyncio.run(asked()) == [Reply(is_ok=True, value="i1"), None, None]

    def test_before(self) -> None:
        """What is done before takes no room, however much it prints, and is there for what is asked."""

        async def asked() -> list[Reply | None]:
            async with Bubblewrap().create(SandboxSpec(limits=SandboxLimits(output_bytes=8192))) as sandbox:
                before = [Request("exec", f"x = {number}; print('a' * 4000)") for number in range(3)]
                return await replies(sandbox, [Request("eval", "x")], before=before, wall_s=5)

        assert asyncio.run(asked()) == [Reply(is_ok=True, value="i2")]


class TestReply:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1",
            "[" * 100_000,
            "{}",
            '{"nonce": "m"}',
            '{"nonce": "n", "text": 1}',
            '{"nonce": "n", "is_ok": 1}',
        ],
    )
    def test_none(self, text: str) -> None:
        """What is no reply to the very request is none."""
        assert _reply(text, "n") is None

    def test_halves(self) -> None:
        """A reply's text can be encoded, whatever comes from the sandbox; what is unknown is left out."""
        assert _reply('{"nonce": "n", "text": "\\ud800", "more": 1}', "n") == Reply(text="\ufffd")
