"""What `LLM` leaves in an event loop: nothing."""

import asyncio

import pytest
from loopback import serving

from tinysmith import LLM, Ask, Message


class TestBothDoorsInOneLoop:
    @pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "hosted_vllm/own"])
    def test_leave_nothing_open(self, model: str, capfd: pytest.CaptureFixture[str]) -> None:
        """A loop in which a model was asked through both doors ends without a complaint."""
        request = Ask((Message("user", "Go."),))

        async def both(base_url: str) -> list[str]:
            llm = LLM(model, base_url=base_url, api_key="none")
            return [(await llm.aask(request)).text, llm.ask(request).text]

        with serving() as server:
            assert asyncio.run(both(server.base_url)) == ["hello", "hello"]
        assert "Traceback" not in capfd.readouterr().err
