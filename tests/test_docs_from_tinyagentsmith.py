"""docs/from-tinyagentsmith.md: each of its five cases really runs."""

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from loopback import ok, serving

import tinysmith
from tinysmith import Ask, Scripted
from tinysmith.cli._load import load_factory

TEXT = (Path(__file__).parent.parent / "docs" / "from-tinyagentsmith.md").read_text(encoding="utf-8")


@pytest.fixture
def page(tmp_path: Path) -> ModuleType:
    """The page's code as a module, in a file `page.py` in the test's folder."""
    path = tmp_path / "page.py"
    path.write_text(
        "\n".join(re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)), encoding="utf-8"
    )
    return sys.modules[load_factory(f"{path}:play").__module__]


def python(code: str, folder: Path, *, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A Python of its own, beside `page.py`, in which nothing has been imported or configured yet."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, input=typed, capture_output=True, text=True, check=True)


class TestTable:
    def test_names_are_ours(self) -> None:
        """Every class that the table's right side names is one of tinysmith's."""
        rows = re.findall(r"^\| .*? \| (.*) \|$", TEXT, re.MULTILINE)
        named = {name for row in rows for name in re.findall(r"\b[A-Z]\w+", " ".join(re.findall(r"`(.*?)`", row)))}
        assert {"Agent", "LLM", "World", "ParseError"} <= named
        assert named <= set(tinysmith.__all__)

    def test_is_short(self) -> None:
        """The page is read in a few minutes."""
        assert len(TEXT.splitlines()) <= 150


@pytest.mark.usefixtures("page")
class TestLogging:
    CODE = """\
import page
from tinysmith import Scripted
{}
page.flip_and_rhyme(Scripted(["heads", "Heads it is."]))
"""

    def test_switched_on(self, tmp_path: Path) -> None:
        """Steps, prompts and replies are logged, and none of the engine's own lines."""
        told = python(self.CODE.format("page.switch_on_logging()"), tmp_path).stderr
        assert "INFO:tinysmith:FlipAndRhyme step 1: flipper → poet: heads" in told
        assert "user: Flip a coin. Answer only with heads or tails." in told
        assert "reply:\nHeads it is." in told
        assert set(re.findall(r"^([A-Z]+:\w+)", told, re.MULTILINE)) == {"INFO:tinysmith", "DEBUG:tinysmith"}

    @pytest.mark.parametrize("logger", ["transitions", "LiteLLM"])
    def test_names_the_loud_ones(self, logger: str) -> None:
        """The page says how to quiet what a root logger at INFO lets speak."""
        assert f'"{logger}"' in TEXT.split("## Coin flip")[0]

    def test_left_off(self, tmp_path: Path) -> None:
        """Without it nothing is logged."""
        assert python(self.CODE.format(""), tmp_path).stderr == ""


class TestCoinFlipAndPoet:
    def test_a_bad_flip_is_asked_again(self, page: ModuleType) -> None:
        """A flipper that says "edge" reads its reply and the error's sentence, and may mend it."""
        model = Scripted(["On its edge!", "Tails", "Tails, and the tale ends."])
        result = page.flip_and_rhyme(model)
        model.assert_complete()
        assert [(step.node, step.asked_again) for step in result.steps] == [
            ("flipper", True), ("flipper", False), ("poet", False),
        ]  # fmt: skip
        again = result.steps[1].request
        assert isinstance(again, Ask)
        assert [message.content for message in again.messages][1:] == [
            "On its edge!", "Answer either heads or tails.",
        ]  # fmt: skip
        assert (result.outcome, result.board) == ("written", page.Coin("tails", "Tails, and the tale ends."))

    def test_the_fourth_bad_flip_ends_the_run(self, page: ModuleType) -> None:
        """As the page says, a run ends as `max_errors`, and raises nothing."""
        assert page.flip_and_rhyme(Scripted(["edge"] * 4)).outcome == "max_errors"


class TestOwnLoop:
    def test_a_person_plays_the_environment(self, page: ModuleType, tmp_path: Path) -> None:
        """What is typed makes the board, answers the commands, and ends the run."""
        code = """\
import page
from tinysmith import Scripted
result = page.play(Scripted(["Command: SHOW TABLES", "Command: submit 7"]))
print(result.outcome, result.board.query, result.board.memory.exchanges)
"""
        told = python(code, tmp_path, typed="How many boats?\nboats, ports\nright\n").stdout
        asked, submitted, ended = told.splitlines()
        assert (asked, submitted) == ("The task: $ SHOW TABLES", "$ submit 7")
        assert ended.startswith("solved How many boats? (Exchange(command='SHOW TABLES', output='boats, ports'), ")

    def test_a_limit_ends_the_loop(self, page: ModuleType, tmp_path: Path) -> None:
        """A model that never answers well ends the loop, with the run as its result."""
        code = "import page; from tinysmith import Scripted; print(page.play(Scripted(['hm'] * 4)).outcome)"
        assert python(code, tmp_path, typed="How many?\n").stdout == "The task: max_errors\n"


class TestLargeAndSmall:
    def test_each_role_has_its_model(self, page: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        """The large model plans and reviews, the small one works; the task of the bundled database is solved."""
        large = Scripted(
            {"planner": ['{"tasks": ["Count the boats and submit."]}'], "reviewer": ['{"accepted": true}']}
        )
        small = Scripted(["Command: SELECT COUNT(*) FROM boats", "Command: submit"])
        result = page.work(large, small, "count-boats")
        large.assert_complete()
        small.assert_complete()
        assert (result.outcome, result.solved) == ("solved", True)
        assert set(result.usage.by_node) == {"planner", "reviewer", "executor"}
        assert capsys.readouterr().out == "scripted 0 0.0\n"

    def test_nodes_that_the_command_line_names_are_there(self, page: ModuleType) -> None:
        """Each node that the page gives a model of its own is one of the strategy's."""
        nodes = re.findall(r"--model (\w+)=", TEXT)
        assert nodes
        assert all(isinstance(getattr(page.PlannerReviewerExecutor, node), tinysmith.Agent) for node in nodes)


@pytest.mark.usefixtures("page")
class TestSelfHosted:
    CODE = """\
import page
page.switch_on_logging()
result = page.flip_at_home({!r})
print(result.board, result.usage.tokens, result.usage.cost_usd, *result.usage.by_model)
"""

    @pytest.mark.untraced
    def test_asks_the_server(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server is asked for its own model, without the environment's key; what it answers costs nothing."""
        monkeypatch.setenv("HOSTED_VLLM_API_KEY", "key-1")
        with serving(ok("heads"), ok("Heads it is.")) as server:
            done = python(self.CODE.format(server.base_url), tmp_path)
        asked = [(seen.path, seen.body["model"], seen.auth) for seen in server.seen]
        assert asked == [("/v1/chat/completions", "my-model", "Bearer not-needed")] * 2
        assert done.stdout == "Coin(side='heads', poem='Heads it is.') 28 0.0 hosted_vllm/my-model\n"
        assert "DEBUG:tinysmith:FlipAndRhyme step 2: reply:\nHeads it is." in done.stderr
        assert "LiteLLM" not in done.stderr
