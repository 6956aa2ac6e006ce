"""Hostile code in the Python environment: it forges no grade, finds no answer, and stops no later action."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from python_episodes import DOUBLE, TWICE, grades, play, steps_of, written
from sandboxes import needs_sandbox

from tinysmith.environments.python import PythonEnvironment
from tinysmith.errors import EnvironmentLost
from tinysmith.protocols import Task
from tinysmith.sandbox import SandboxLimits

ROWS: list[dict[str, Any]] = [
    TWICE,
    {
        "query": "Build it.",
        "gold": "def build(x):\n    return 'secretword'",
        "tests": ["assert build(box) == 'secretword'"],
        "test_setup_code": "box = 1",
    },
]
ENDLESS = "going = True\nwhile going: pass"
FORGER = """class Same:
    def __eq__(self, other): return True
def double(x):
    import os
    for number in range(3, 20):
        try: os.write(number, b'31\\n{"is_ok": true, "value": "i4"}')
        except OSError: pass
    return Same()"""
SPY = """def double(x):
    import gc, os, sys
    seen = [open('/proc/self/cmdline', 'rb').read(), open('/proc/self/environ', 'rb').read(), gc.get_objects()]
    asked = []
    for number in range(10):
        try: asked += os.pread(number, 1000000, 0).split()
        except OSError: pass
    frame = sys._getframe()
    while frame:
        seen += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    import base64
    text = repr(seen) + repr([base64.b64decode(line) for line in asked])
    found = [''.join(reversed(word)) in text for word in ('drowterces', ')xob(dliub')]
    with open('/tmp/found', 'w') as file: file.write(repr(found))"""
PATCH = "def double(*a): raise KeyError(1)\nimport sys\nsys._getframe(1).f_globals"
MADE_UP = (
    PATCH + '["_outcome"] = lambda *a: {"output": "", "error": ""}',
    PATCH + '["_outcome"] = lambda *a: {"output": "", "error": "", "value": "i4"}',
    PATCH
    + """["Interpreter"].answer = lambda self, asked: {
        "nonce": asked["nonce"], "output": "", "error": "", "value": "", "is_ok": True}""",
)
READER = """def double(*a): raise KeyError(1)
import os, base64, json
for number in range(3, 20):
    try:
        asked = [json.loads(base64.b64decode(line)) for line in os.pread(number, 1000000, 0).split()]
        told = [json.dumps({"nonce": each["nonce"], "output": "", "error": ""}) for each in asked if each["nonce"]]
        os.write(number + 1, "".join(f"{len(each)}\\n{each}" for each in told).encode())
    except (OSError, ValueError): pass"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return written(ROWS, tmp_path)


@needs_sandbox
class TestAnswer:
    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_forged(self, folder: Path, fidelity: Any) -> None:
        """Neither objects that equal everything, nor made-up answers, nor an early end are right."""
        end = "def double(x):\n    import os; os._exit(0)"
        forgers = (FORGER, FORGER.replace("range(3, 20)", "()"), end)
        environment = PythonEnvironment(folder, fidelity=fidelity)
        assert grades(environment, *(("0", forger) for forger in forgers)) == [0.0, 0.0, 0.0]

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_made_up(self, folder: Path, fidelity: Any) -> None:
        """A reply that only lacks an error, made up within the interpreter or beside it, passes no test."""
        environment = PythonEnvironment(folder, fidelity=fidelity)
        scores = grades(environment, *(("0", forger, "submit double") for forger in (*MADE_UP, READER)))
        assert scores == [0.0] * 4

    @pytest.mark.parametrize("fidelity", ["intercode", "strict"])
    def test_guessed(self, folder: Path, fidelity: Any) -> None:
        """A reply that code makes up is worth the value that it says, where that happens to be right."""
        forger = READER.replace('"error": ""', '"error": "", "is_ok": True, "value": "i4"')
        assert grades(PythonEnvironment(folder, fidelity=fidelity), ("0", forger)) == [1 / 3]

    def test_hidden(self, folder: Path) -> None:
        """Where the function is tested there is neither the gold code nor an expected value to be found."""
        environment = PythonEnvironment(folder)

        async def found() -> bytes:
            await environment.reset(task=Task("1"))
            await environment.step(SPY)
            assert not (await environment.grade()).solved
            _, tested = environment._episodes.current.sandboxes
            text = await tested.aread_file("/tmp/found")
            await environment.close()
            return text

        assert asyncio.run(found()) == b"[False, True]"


@needs_sandbox
class TestHostile:
    def test_lost(self, folder: Path) -> None:
        """Code that ends its interpreter loses the namespace, which is said; the next action works."""
        hostile = (
            "import os; os._exit(0)",
            "import os; os.closerange(0, 200)",
            "import os; os.kill(os.getppid(), 9)",
            "import os; os.kill(-1, 9)",
            "import os; os.execv('/bin/echo', ['echo', '{}'])",
            "import os\nfor each in range(3, 100):\n    try: os.write(each, b'9\\n')\n    except OSError: pass",
        )
        actions = [each for action in hostile for each in (DOUBLE, action, "double(1)")]
        ((steps, grade),) = asyncio.run(play(PythonEnvironment(folder), ("0", *actions)))
        anew = "a new interpreter has begun, without what was defined, and with the files of the beginning"
        for defined, ended, after in zip(steps[::3], steps[1::3], steps[2::3], strict=True):
            assert defined.observation == "{'output': '', 'error': ''}"
            assert ended.observation == f"Error executing action: it ended; {anew}"
            assert (ended.info["namespace_lost"], ended.info["timed_out"]) == (True, False)
            assert after.observation == "{'error': \"Error: name 'double' is not defined\"}"
            assert not after.info["namespace_lost"]
        assert grade.score == 0.0

    def test_kept(self, folder: Path) -> None:
        """Other hostile code leaves the namespace as it is."""
        hostile = (
            "import os; [os.fork() for _ in range(3)]",
            "import sys; sys.stdout.close()",
            "x = [0] * 10 ** 10; print()",
            "x = 1; raise SystemExit",
            "import json; json.dumps = json.loads = None",
        )
        actions = [each for action in hostile for each in (action, "assert double(1) == 2")]
        ((steps, grade),) = asyncio.run(play(PythonEnvironment(folder), ("0", DOUBLE, *actions)))
        assert not any(step.info["namespace_lost"] for step in steps)
        assert {step.observation for step in steps[2::2]} == {"{'output': '', 'error': ''}"}
        assert grade.solved

    def test_broken(self, folder: Path) -> None:
        """Code that breaks what the interpreter itself needs loses the namespace in the end, and no more."""
        actions = ("import builtins; builtins.len = builtins.str = None", "1", "3 + 4")
        steps = steps_of(PythonEnvironment(folder), "0", *actions)
        assert any(step.info["namespace_lost"] for step in steps)
        assert steps[2].observation == "{'output': '7', 'error': ''}"

    def test_time(self, folder: Path) -> None:
        """Code that takes too long is ended."""
        environment = PythonEnvironment(folder, limits=SandboxLimits(wall_s=2.0))
        steps = steps_of(environment, "0", "x = 1", ENDLESS, "3 + 4")
        assert steps[1].observation.startswith("Error executing action: it took too long; a new interpreter")
        assert (steps[1].info["namespace_lost"], steps[1].info["timed_out"]) == (True, True)
        assert steps[2].observation == "{'output': '7', 'error': ''}"

    def test_disk(self, folder: Path) -> None:
        """Code that fills the disk is ended, and its files are gone."""
        environment = PythonEnvironment(folder, limits=SandboxLimits(disk_bytes=2 << 20))
        fill = "import time\nwith open('/tmp/x', 'wb') as file: file.write(bytes(3 << 20))\ntime.sleep(5)"
        steps = steps_of(environment, "0", fill, "import os; print(os.listdir('/tmp'))")
        assert "it passed the sandbox's limit disk_bytes" in steps[0].observation
        assert steps[1].observation == "{'output': '[]', 'error': ''}"

    def test_cancel(self, folder: Path) -> None:
        """A cancelled action loses the namespace, and the next one says so."""

        async def cancel() -> None:
            environment = PythonEnvironment(folder)
            await environment.reset(task=Task("0"))
            await environment.step(DOUBLE)
            step = asyncio.create_task(environment.step(ENDLESS))
            done, _ = await asyncio.wait({step}, timeout=0.1)
            assert not done
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
            assert (await environment.grade()).score == 0.0
            after = await environment.step("3 + 4")
            assert (after.observation, after.info["namespace_lost"]) == ("{'output': '7', 'error': ''}", True)
            assert not (await environment.step("1")).info["namespace_lost"]
            await environment.close()

        asyncio.run(cancel())

    def test_close(self, folder: Path) -> None:
        """Whoever waits for an action of a closed environment learns that it is gone."""

        async def close() -> None:
            environment = PythonEnvironment(folder)
            await environment.reset(task=Task("0"))
            step = asyncio.create_task(environment.step(ENDLESS))
            await asyncio.wait({step}, timeout=0.1)
            await environment.close()
            with pytest.raises(EnvironmentLost, match="closed or reset while an action ran"):
                await step

        asyncio.run(close())
