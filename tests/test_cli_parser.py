"""What the command line says of arguments that are none."""

import pytest

from tinysmith.cli import main
from tinysmith.cli._arguments import parser

RUN = "run machines:TryAgain --env demo"


def told(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the command ends with, with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


class TestParser:
    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (
                "dmeo",
                "tinysmith: argument COMMAND: there is no 'dmeo'. Did you mean demo? See `tinysmith --help`.",
            ),
            ("--verson", "tinysmith: there is no option --verson. Did you mean --version?"),
            ("run --modle x", "tinysmith run: there is no option --modle. Did you mean --model or"),
            (f"{RUN} --modle=x", "there is no option --modle. Did you mean --model or"),
            (f"{RUN} --model scripted --sand auto", "there is no option --sand. Did you mean --sandbox or"),
            (f"{RUN} --sandbox atuo", "argument --sandbox: there is no 'atuo'. Did you mean auto?"),
            ("intercode imprt x", "argument import: there is no 'imprt'. Did you mean import?"),
        ],
    )
    def test_tells_what_is_misspelt(self, command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """A command, an option or a choice that is not there is told with the near ones, and is not completed."""
        assert said in told(command, capsys)

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("run", "tinysmith run: the following arguments are required: STRATEGY, --model. See `tinysmith run"),
            (f"{RUN} --model", "argument --model: expected one argument. See `tinysmith run --help`."),
            ("draw machines:TryAgain more", "tinysmith draw: unrecognized arguments: more. See"),
            (f"{RUN} --model x --max-asks many", "argument --max-asks: 'many' is no number, and not none."),
            (f"{RUN} --model x --max-seconds 1s", "argument --max-seconds: '1s' is no number, and not none."),
            (f"{RUN} --model x --task a --all", "argument --all: not allowed with argument --task."),
        ],
    )
    def test_tells_what_else_is_wrong(self, command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What is missing, too much or of another kind is told in one line."""
        assert said in told(command, capsys)

    def test_limits_may_be_none(self) -> None:
        """A limit is a number or none, in small letters or not."""
        run = parser().parse_args([*RUN.split(), "--model", "x", "--max-asks", "None", "--max-cost-usd", "0.5"])
        assert (run.max_asks, run.max_cost_usd) == (None, 0.5)

    def test_tasks_add_up(self) -> None:
        """--task may be given several times, each time with several ids."""
        run = parser().parse_args([*RUN.split(), "--task", "a", "b", "--model", "x", "--task", "c"])
        assert run.task == ["a", "b", "c"]
