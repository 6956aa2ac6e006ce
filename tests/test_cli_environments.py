"""`--env` and what goes with it: `--data`, `--assets`, `--fidelity` and `--sandbox`."""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from sandboxes import needs_sandbox

import tinysmith.environments
from tinysmith import Agent, Halt, Strategy, Task
from tinysmith.cli import main
from tinysmith.environments._shell_tasks import ShellTask
from tinysmith.environments.shell import ShellEnvironment
from tinysmith.errors import SandboxUnavailable
from tinysmith.sandbox import Availability, Sandbox, SandboxSpec


@frozen
class Word:
    """A word."""

    text: str = ""


class Speaker(Agent[Word]):
    samples = ("hello",)

    def prompt(self, word: Word, /) -> str:
        return "Say a word."

    def parse(self, word: Word, reply: str, /) -> Word:
        return Word(reply)


class Speak(Strategy[Word]):
    """Says a word and acts nowhere."""

    speaker = Speaker()
    said = Halt(success=True)
    initial = speaker
    edges = (speaker.to(said),)


class Nowhere:
    """A back end that cannot be used."""

    def probe(self) -> Availability:
        return Availability(ok=False, reason="It is missing.")

    def create(self, spec: SandboxSpec) -> Sandbox:
        raise SandboxUnavailable("There is no sandbox here. Install one.")


def stranded() -> ShellEnvironment:
    """An environment whose sandboxes cannot be made."""
    tasks = [ShellTask(name, "Find out.", answer="42", script=("submit 42",)) for name in ("first", "second")]
    return ShellEnvironment(tasks, backend=Nowhere())


class Curious:
    """An environment that takes all that there is, and is over at once."""

    def __init__(self, data: Path, assets: Path, fidelity: str, backend: str) -> None:
        self.tasks = [Task(f"{data.name} {assets!r} {fidelity} {backend}")]

    async def reset(self, *, task: Task | None = None, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        return "", {}

    async def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return "", 1.0, True, False, {}

    async def close(self) -> None:
        pass


def ran(env: str, *more: str, strategy: str = "machines:TryAgain") -> int:
    """The exit code of a run in an environment."""
    return main(["run", strategy, "--env", env, "--model", "scripted", *more])


class TestNames:
    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("intercode-sql", "ic_spider_dev.json"),
            ("intercode-bash", "nl2bash_fs_1.json"),
            ("intercode-python", "ic_mbpp.json"),
            ("intercode-ctf", "ic_ctf.json"),
            ("shell", "tasks.json"),
        ],
    )
    def test_that_need_data(self, name: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
        """An environment of data says which file its folder has, and a folder that is not there is misuse."""
        assert ran(name, "--all") == 2
        assert f"--env {name} needs its data: add --data DIR, with {file} in it." in capsys.readouterr().err
        assert ran(name, "--all", "--data", "/none") == 2
        err = capsys.readouterr().err
        assert err.startswith("tinysmith: /none")
        assert err.count("\n") == 1

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("sql", "ic_spider_dev.json"),
            ("bash", "nl2bash_fs_1.json"),
            ("python", "ic_mbpp.json"),
            ("ctf", "ic_ctf.json"),
        ],
    )
    def test_given_the_folder_above(
        self, name: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The folder that an import of InterCode made is answered with the one in it that is meant."""
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
        assert ran(f"intercode-{name}", "--all", "--data", str(tmp_path)) == 2
        meant = f"{file} is not in it, but in {tmp_path / name}. Give --data {tmp_path / name}."
        assert f"tinysmith: --data {tmp_path}: {meant}" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("env", "option", "value"),
        [
            ("stdin", "--sandbox", "auto"),
            ("stdin", "--data", "."),
            ("intercode-sql", "--fidelity", "strict"),
            ("intercode-sql", "--sandbox", "auto"),
            ("shell", "--assets", "."),
            ("demo", "--fidelity", "intercode"),
            (f"{__file__}:stranded", "--sandbox", "auto"),
        ],
    )
    def test_that_do_not_take_an_option(
        self, env: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An option that the environment does not take is misuse."""
        assert ran(env, "--all", option, value) == 2
        assert f"takes no {option[2:]}; leave out {option}." in capsys.readouterr().err

    def test_without_the_files_of_its_tasks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """InterCode-CTF without the folder of assets says that the tasks lack their files."""
        row = {"task_id": 1, "query": "Find it.", "gold": "picoCTF{it}", "tags": [], "setup": ""}
        (tmp_path / "ic_ctf.json").write_text(json.dumps([row]), encoding="utf-8")
        command = ["run", "machines:TryAgain", "--env", "intercode-ctf", "--data", str(tmp_path), "--task", "2"]
        told = "without --assets DIR the tasks lack their files, and few can be solved."
        for more, is_told in ([], True), (["--assets", str(tmp_path)], False):
            assert main([*command, *more, "--model", "samples"]) == 2
            assert (told in capsys.readouterr().err) is is_told

    def test_that_is_left_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without an environment, an option for one is misuse."""
        run = ["run", f"{__file__}:Speak", "--model", "samples"]
        assert main(run) == 0
        assert main([*run, "--sandbox", "auto"]) == 2
        assert "--sandbox is for an environment. Add --env, or leave it out." in capsys.readouterr().err


class TestSplits:
    def test_are_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """`--split` runs the tasks of the splits that it names, in the tasks' order, as `--all` runs all."""
        assert ran("demo", "--split", "questions", "-q") == 0
        assert "6 episodes, 6 solved" in capsys.readouterr().out
        demo = ["--env", "intercode-sql", "--data", str(Path(tinysmith.environments.__file__).parent / "demo")]
        (tmp_path / "gave_up.json").write_text('["skip"]')
        model = ["--model", f"scripted:{tmp_path / 'gave_up.json'}"]
        assert main(["run", "machines:TryAgain", *demo, *model, "--split", "extra", "easy", "-q"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.partition(":")[0] for line in lines[:3]] == ["count-boats", "largest-boats", "late-islanders"]

    def test_of_a_recording(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Of a recording those of the split are run that were recorded; where none was, that is misuse."""
        turn = {"task_id": "count-boats", "actions": ["submit"], "rewards": [0.0]}
        (tmp_path / "said.jsonl").write_text(json.dumps(turn))
        command = ["run", "machines:TryAgain", "--env", "demo", "--model", f"recorded:{tmp_path / 'said.jsonl'}"]
        assert main([*command, "--split", "questions", "-q"]) == 0
        assert "1 episode, 0 solved" in capsys.readouterr().out
        assert main([*command, "--split", "errands"]) == 2
        assert "None of the recorded tasks is among the 12 of --env demo in errands." in capsys.readouterr().err

    def test_that_are_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Tasks without splits say so."""
        run = ["run", "machines:TryAgain", "--env", f"{__file__}:Curious", "--model", "samples"]
        options = ["--data", str(tmp_path), "--assets", "b", "--fidelity", "strict", "--sandbox", "auto"]
        assert main([*run, *options, "--split", "test"]) == 2
        assert "have no splits; use --all or --task." in capsys.readouterr().err


class TestFactories:
    def test_are_given_what_they_take(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A factory is given folders as paths, and the sandbox as `backend`."""
        options = ["--data", str(tmp_path), "--assets", "b", "--fidelity", "strict", "--sandbox", "bubblewrap"]
        run = ["run", "machines:TryAgain", "--env", f"{__file__}:Curious", "--model", "samples", *options]
        assert main([*run, "--all", "-q"]) == 0
        given = f"{tmp_path.name} {Path('b')!r} strict bubblewrap"
        assert f"{given}: ✓ solved" in capsys.readouterr().out


class TestSandbox:
    def test_that_cannot_be_had(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where no sandbox can be had, one line says so once, and what to install, with exit code 3."""
        assert ran(f"{__file__}:stranded", "--all", "-q") == 3
        captured = capsys.readouterr()
        assert captured.err == "tinysmith: There is no sandbox here. Install one.\n"
        assert "episode" not in captured.out

    def test_that_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`unsafe-local`, typed in full, is warned of in one line."""
        assert ran("demo", "--task", "count-boats", "--sandbox", "unsafe-local") == 0
        err = capsys.readouterr().err
        assert err.startswith(
            "tinysmith: --sandbox unsafe-local is no sandbox: commands run on this machine as you"
        )
        assert err.count("\n") == 1
        with pytest.raises(SystemExit, match="2"):
            ran("demo", "--task", "count-boats", "--sandbox", "unsafe")

    @needs_sandbox
    def test_that_plays_tasks_of_one_s_own(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """`--env shell` plays the tasks of a folder in the sandbox that is named."""
        task = {"id": "sum", "query": "Add up.", "tree": {"/n": "40\n2\n"}, "answer": "42"}
        task["script"] = ["Action: paste -sd+ /n", "Action: submit 42"]
        (tmp_path / "tasks.json").write_text(json.dumps([task]))
        assert ran("shell", "--data", str(tmp_path), "--all", "--sandbox", "bubblewrap") == 0
        out = capsys.readouterr().out
        assert "$ paste -sd+ /n ⇒ 40+2" in out
        assert "$ submit 42 ⇒ Submitted.  [reward 1]" in out
