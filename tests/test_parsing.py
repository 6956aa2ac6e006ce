"""Small readers for what models write."""

import pytest

from tinysmith.errors import ParseError, UsageError
from tinysmith.parsing import fenced_block, json_list, json_object, number, one_command, one_of

THOUGHT = "<think>\nCommand: rm\n```\nno 7\n```\n</think>\n"


def told(error: pytest.ExceptionInfo[ParseError]) -> str:
    return str(error.value)


class TestOneCommand:
    @pytest.mark.parametrize(
        ("text", "command"),
        [
            ("Command: ls -la", "ls -la"),
            ("I look around.\n\nCommand: ls\n\n", "ls"),
            ("I look.\r\n  Command:ls  \r\n", "ls"),
            ("**Command:** ls", "ls"),
            ("**Command**: ls", "ls"),
            ("**Command: ls**", "ls"),
            ("__Command:__ ls", "ls"),
            ("*Command:* ls", "ls"),
            ("`Command: ls`", "ls"),
            ("Command: `ls -la`", "ls -la"),
            ("Command: ``ls``", "ls"),
            ("Command: **ls**", "ls"),
            ("**Command:** `ls`", "ls"),
            ("- Command: ls", "ls"),
            ("> Command: ls", "ls"),
            ("### Command: ls", "ls"),
            ("```\nCommand: ls\n```", "ls"),
            ("```bash\nCommand: ls\n```\n", "ls"),
            ("Command: `date` > `hostname`", "`date` > `hostname`"),
            ("Command: grep -c '*' a*", "grep -c '*' a*"),
            ("Command: echo Command: x", "echo Command: x"),
            ("Command: a\x0bb\u2028c", "a\x0bb\u2028c"),
            (f"{THOUGHT}Command: ls", "ls"),
            ("What Command: is\nCommand: ls", "ls"),
            ("Command:`ls`", "ls"),
            ("Command:**ls**", "ls"),
            ("Command:_build.sh", "_build.sh"),
            ("Command:*.py", "*.py"),
            ("Command: `ls`.", "ls"),
            ("Command: **ls**.", "ls"),
            ("Command: `**ls**`", "**ls**"),
            ("**Command:** **`ls`**", "ls"),
            ("**Command**:**ls**", "ls"),
            ("`Command`:`a` `b`", "`a` `b`"),
            ("`Command:**ls**`", "ls"),
            ("**Command**: ls **/x**", "ls **/x**"),
            ("`Command:` echo `", "echo `"),
            ("`Command: ls", "ls"),
            ("*Command: ls *", "ls *"),
            ("*Command: ls *.py*", "ls *.py"),
            ("***Command:*** ls", "ls"),
            ("Command: ls **", "ls **"),
            ("Command: ** a **", "** a **"),
            ("Command: `a``", "`a``"),
            ("1. Command: ls", "ls"),
            ("12) Command: ls", "ls"),
            ("> - Command: ls", "ls"),
            ("Command**: ls", "ls"),
        ],
    )
    def test_read(self, text: str, command: str) -> None:
        """The command is what follows the label on the last line, without what Markdown adds."""
        assert one_command(text) == command

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "Your reply has no line `Command: …`."),
            ("ls", "Your reply has no line `Command: …`."),
            ("command: ls", "Your reply has no line `Command: …`."),
            ("Run this Command: ls", "Your reply has no line `Command: …`."),
            ("<think>\nCommand: ls", "Your reply has no line `Command: …`."),
            ("Command: ls\nCommand: pwd", "Your reply has 2 lines that begin with `Command:`."),
            ("**Command:** ls\nCommand: ls", "Your reply has 2 lines that begin with `Command:`."),
            ("Command: ls\rCommand: rm", "Your reply has 2 lines that begin with `Command:`."),
            ("Command: ls\nThat lists.", "Your reply goes on after the line `Command: …`."),
            ("Command:\n```\nls\n```", "Your reply goes on after the line `Command: …`."),
            ("Command:", "There is nothing after `Command:`."),
            ("**Command:** ", "There is nothing after `Command:`."),
            ("**Command:**\n", "There is nothing after `Command:`."),
        ],
    )
    def test_refused(self, text: str, problem: str) -> None:
        """No command, several, one that is not last and an empty one are told apart."""
        with pytest.raises(ParseError) as error:
            one_command(text)
        assert told(error) == f"{problem} End your reply with exactly one line `Command: …`."

    def test_label(self) -> None:
        """The label can be another, with any characters in it."""
        assert one_command("Command: no\nNext (step): go", "Next (step)") == "go"
        with pytest.raises(ParseError, match="exactly one line `Action: …`"):
            one_command("Command: ls", "Action")


class TestJSON:
    def test_object(self) -> None:
        """An object is found in other text, and is mended."""
        assert json_object("Sure: {'a': [1,]}.") == {"a": [1]}

    def test_list(self) -> None:
        """A list is found in other text, and is mended."""
        assert json_list("Sure: ['a', {'b': None},].") == ["a", {"b": None}]

    def test_other_kind(self) -> None:
        """Neither is taken for the other, and nothing is unwrapped."""
        with pytest.raises(ParseError, match="Your reply is a list"):
            json_object('[{"a": 1}]')
        with pytest.raises(ParseError, match="Your reply is an object"):
            json_list('{"a": [1]}')


class TestFencedBlock:
    @pytest.mark.parametrize(
        ("text", "language", "block"),
        [
            ("```\nls\n```", None, "ls"),
            ("Run:\n\n```bash\nls\n  pwd\n```\nDone.", None, "ls\n  pwd"),
            ("```bash\r\nls\r\n```\r\n", "bash", "ls"),
            ("~~~\nls\n~~~", None, "ls"),
            ("````\n```\nls\n```\n````", None, "```\nls\n```"),
            ("```\nls\n~~~\n`````", None, "ls\n~~~"),
            ("```\na\n```b\nc\n```", None, "a\n```b\nc"),
            ("- so:\n  ```sh\n  ls\n    pwd\n  ```", None, "ls\n  pwd"),
            ("```python\nx\n```\n```SQL title=a\nSELECT\n```", "sql", "SELECT"),
            ("```python\nx\n```\n```\nSELECT\n```", "sql", "SELECT"),
            ("```sql\nA\n```\nor again\n```sql\nA\n```", "sql", "A"),
            (f"{THOUGHT}```\nls\n```", None, "ls"),
            ("Use ```x``` so:\n```\nls\n```", None, "ls"),
            ("```x```\n```\nls\n```", None, "ls"),
            ("```py\nx\n```", "python", "x"),
            ("```sh\nx\n```", "bash", "x"),
            ("```shell\nx\n```", "sh", "x"),
            ("```JavaScript\nx\n```", "js", "x"),
            ("```yaml\nx\n```", "YML", "x"),
            ("```py\nx\n```\n```\ny\n```", "python", "x"),
            ("1. ```sql\n   a\n     b\n   ```", "sql", "a\n  b"),
            ("- ```sql\na\n```", None, "a"),
            ("  * ~~~\n    a\n    ~~~", None, "a"),
        ],
    )
    def test_read(self, text: str, language: str | None, block: str) -> None:
        """A block is what stands between two fences, without their indentation."""
        assert fenced_block(text, language) == block

    @pytest.mark.parametrize(
        ("text", "language", "problem"),
        [
            ("ls", None, "Your reply has no fenced block. Write exactly one, between a line ``` and a line ```."),
            (
                "```py\nx\n```",
                "sql",
                "Your reply has no fenced block that is ```sql, only ```py. Write exactly one, between",
            ),
            (
                "```B\nx\n```\n```a\ny\n```",
                "sql",
                "Your reply has no fenced block that is ```sql, only ```a, ```b. ",
            ),
            (
                f"```{'a' * 99}\n```",
                "sql",
                f"Your reply has no fenced block that is ```sql, only ```{'a' * 56}…. ",
            ),
            ("ls", "sql", "Your reply has no fenced block. Write"),
            ("```\na\n```\n```\nb\n```", None, "Your reply has 2 fenced blocks that differ."),
            ("```sql\na\n```\n```sql\nb\n```", "sql", "Your reply has 2 fenced blocks that differ."),
            ("```\nls", None, "Your reply was cut off: its last fenced block is not closed."),
            ("```\nls\n```\n```\npwd", None, "Your reply was cut off"),
            ("````\nls\n```", None, "Your reply was cut off"),
            ("```sh\n \n```", None, "The fenced block of your reply is empty."),
            ("```\n```", None, "The fenced block of your reply is empty."),
        ],
    )
    def test_refused(self, text: str, language: str | None, problem: str) -> None:
        """No block, several, an empty one and one that is cut off are told apart."""
        with pytest.raises(ParseError) as error:
            fenced_block(text, language)
        assert told(error).startswith(problem)


class TestOneOf:
    @pytest.mark.parametrize(
        ("text", "options", "named"),
        [
            ("yes", ["yes", "no"], "yes"),
            ("The answer is **No**.", ["yes", "no"], "no"),
            ("Yes. I say YES!", ["yes", "no"], "yes"),
            ("nothing but yes", ["yes", "no"], "yes"),
            ("Not approved.", ["approved", "not approved"], "not approved"),
            ("Approved!", ["approved", "not approved"], "approved"),
            ("not\n approved", ["approved", "not approved"], "not approved"),
            ("I take C++", ["C", "C++"], "C++"),
            ("I take run_tests", ["run", "run_tests"], "run_tests"),
            ("ÄNDERN", ["ändern", "no"], "ändern"),
            (f"{THOUGHT}yes", ["yes", "no"], "yes"),
        ],
    )
    def test_read(self, text: str, options: list[str], named: str) -> None:
        """The one option that stands there as whole words is given back as it was offered."""
        assert one_of(text, options) == named

    @pytest.mark.parametrize(
        ("text", "problem"),
        [("", "names none of the options"), ("yesterday", "names none"), ("yes or no", "names several")],
    )
    def test_refused(self, text: str, problem: str) -> None:
        """None and several are refused, and the options are named in their order."""
        with pytest.raises(ParseError, match=rf"{problem}.* Answer with exactly one of: yes, no\."):
            one_of(text, ["yes", "no"])

    @pytest.mark.parametrize("options", [[], ["yes", "YES"], ["a", " "]])
    def test_options(self, options: list[str]) -> None:
        """Options that nobody could choose from are the caller's mistake."""
        with pytest.raises(UsageError, match="options="):
            one_of("yes", options)


class TestNumber:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("42", 42),
            ("The answer is **-1.5**.", -1.5),
            ("I say 7. Yes, 7.0!", 7),
            ("1,000,000.5", 1_000_000.5),
            ("2e3", 2000),
            ("+3", 3),
            ("\u22123", -3),
            ("about 85%", 85),
            ("$5, GPT-4", 5),
            ("\\boxed{42}", 42),
            (f"{THOUGHT}8", 8),
            (".5", 0.5),
            ("I say -.25.", -0.25),
            (".5e1", 5),
        ],
    )  # fmt: skip
    def test_read(self, text: str, value: float) -> None:
        """The one number of a text is read, as a float."""
        assert number(text) == value
        assert type(number(text)) is float

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "Your reply has no number. Answer with exactly one number."),
            ("NaN", "Your reply has no number."),
            ("seven, 10kg, v2, 1.2.3, x1, x.5, ..5, .5.6", "Your reply has no number."),
            ("1,2,3", "Your reply has no number."),
            ("1,0000", "Your reply has no number."),
            ("7/10", "Your reply has 2 numbers that differ."),
            ("1-5", "Your reply has 2 numbers that differ."),
            ("1e999", "The number in your reply, inf, is out of bounds."),
            ("9" * 5000, "The number in your reply, inf, is out of bounds."),
        ],
    )
    def test_refused(self, text: str, problem: str) -> None:
        """No number, several, and one that is too large for a float are refused."""
        with pytest.raises(ParseError) as error:
            number(text)
        assert told(error).startswith(problem)

    @pytest.mark.parametrize(
        ("bounds", "words"),
        [
            ({"least": 0, "most": 10}, "from 0 to 10."),
            ({"least": 0}, "of at least 0."),
            ({"most": 10}, "of at most 10."),
        ],
    )
    def test_bounds(self, bounds: dict[str, float], words: str) -> None:
        """A number at its bounds is taken, one outside is refused with both named."""
        assert number("0", **bounds) == 0
        assert number("10", **bounds) == 10
        outside = "11" if "most" in bounds else "-1"
        with pytest.raises(ParseError, match=f"{outside}, is out of bounds. Answer with a number {words}"):
            number(outside, **bounds)
