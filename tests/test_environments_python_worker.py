"""The interpreter within the sandbox, done here: what it runs, what it tells, and the text of a value."""

import base64
import json
import socket
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict
from decimal import Decimal
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysmith.environments import _python_worker
from tinysmith.environments._python_worker import Interpreter, OpaqueValue, Written, canonical, serve

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=3)
    | st.binary(max_size=3)
)
HASHABLE = st.recursive(
    SCALARS,
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.sets(HASHABLE, max_size=3)
        | st.dictionaries(HASHABLE, inner, max_size=3)
    ),
    max_leaves=6,
)


class Place(NamedTuple):
    x: int
    y: int


def ask(interpreter: Interpreter, mode: str, code: str, most: int = 1000) -> dict[str, Any]:
    reply = interpreter.answer({"nonce": "n", "mode": mode, "code": code, "most_characters": most})
    assert reply.pop("nonce") == "n"
    return reply


def line(code: str, mode: str = "exec") -> bytes:
    request = {"nonce": len(code), "mode": mode, "code": code, "most_characters": 100}
    return base64.b64encode(json.dumps(request).encode()) + b"\n"


class TestCanonical:
    @given(VALUES, VALUES)
    def test_equal(self, one: Any, other: Any) -> None:
        """Two values have the same text exactly where they are equal."""
        assert (canonical(one) == canonical(other)) == (one == other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (1, True), (1, 1.0), (0.0, -0.0), (2, 2 + 0j), (1e300, int(1e300)), (b"a", bytearray(b"a")),
            ({1, 2}, frozenset([2, 1])), ({1: 2}.keys(), {1}), ({1: 2, 3: 4}, OrderedDict([(3, 4), (1, 2)])),
            (Counter("aab"), {"a": 2, "b": 1}), (defaultdict(list, {1: [2]}), {1: [2]}),
            (Place(1, 2), (1, 2)), (socket.AF_INET, int(socket.AF_INET)),
        ],
    )  # fmt: skip
    def test_same(self, one: Any, other: Any) -> None:
        """Values that are equal although they are of different types have the same text."""
        assert one == other
        assert canonical(one) == canonical(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [(11, b""), ("1", 1), ([1], (1,)), (set(), {}), ("None", None), (["a", "b"], ["a,b"]), (1.5, 1.5 + 1j)],
    )
    def test_different(self, one: Any, other: Any) -> None:
        """Values that are not equal have different texts."""
        assert canonical(one) != canonical(other)

    def test_opaque(self) -> None:
        """A value of another type, one that is too large and one within itself have no text."""
        endless: list[Any] = []
        endless.append(endless)
        for value in (object(), [Decimal(1)], range(3), endless, [0] * 30_000, "x" * 200_000):
            with pytest.raises(OpaqueValue):
                canonical(value)


class TestInterCode:
    @pytest.mark.parametrize(
        ("action", "shown"),
        [
            ("def f(x):\n    return x", "{'output': '', 'error': ''}"),
            ("1 + 1", "{'output': '2', 'error': ''}"),
            ("x = 1", "{'output': '', 'error': ''}"),
            ("print('a\\x1b')", "{'output': 'a\\x1b', 'error': ''}"),
            ("import os", "{'output': '', 'error': ''}"),
            ("assert 1 == 2", "{'error': 'Error: '}"),
            ("1 / 0", "{'error': 'Error: division by zero'}"),
            ("from os import path", "{'error': 'Error: invalid syntax (<string>, line 1)'}"),
            ("def f(:", "{'error': 'Error: invalid syntax (<string>, line 1)'}"),
            ("import re  def f(): 1", "Error executing action: invalid syntax (<unknown>, line 1)"),
            ("x = 1; raise SystemExit(3)", "{'error': 'Error: SystemExit: 3'}"),
            ("import sys; print('a', file=sys.stderr)", "{'output': '', 'error': 'a'}"),
        ],
    )
    def test_shown(self, action: str, shown: str) -> None:
        """An action shows what InterCode's server told of it, also where its rule of printing breaks it."""
        reply = ask(Interpreter(), "intercode", action)
        assert reply["text"] == shown
        assert reply["is_ok"] == shown.endswith("'error': ''}")
        assert not reply["is_cut"]

    def test_cut(self) -> None:
        """A long output is cut, and said to be."""
        reply = ask(Interpreter(), "intercode", "print('a' * 9, 'b')", 5)
        assert reply == {"text": "{'output': 'aaaaa', 'error': ''}", "is_ok": True, "is_cut": True}


class TestStrict:
    @pytest.mark.parametrize(
        ("action", "shown"),
        [
            ("", ""),
            ("x = 1", ""),
            ("x = 2\nx + 1", "3"),
            ("None", ""),
            ("print('a')\n'b'", "a\n'b'"),
            ("for i in range(2): print(i)", "0\n1"),
            ("print('a', end='')\n1 / 0", "a\nline 2: ZeroDivisionError: division by zero"),
            ("raise ValueError", "line 1: ValueError"),
            ("x = (", "line 1: SyntaxError: '(' was never closed"),
            ("exit_ = 1\nraise SystemExit", "line 2: SystemExit"),
        ],
    )
    def test_shown(self, action: str, shown: str) -> None:
        """An action shows what it prints, the value of a last expression, and an error with its line."""
        reply = ask(Interpreter(), "strict", action)
        assert reply == {"text": shown, "is_ok": "Error" not in shown and "Exit" not in shown, "is_cut": False}

    def test_cut(self) -> None:
        """An error is cut like an output, after which it is still told."""
        reply = ask(Interpreter(), "strict", "print('a' * 9)\nraise ValueError('b' * 99)", 20)
        assert reply == {"text": "a" * 9 + "\nline 2: ValueError: ", "is_ok": False, "is_cut": True}
        reply = ask(Interpreter(), "intercode", "x = 1; raise ValueError('b' * 99)", 10)
        assert reply == {"text": "{'error': 'Error: bbb'}", "is_ok": False, "is_cut": True}

    def test_nul(self) -> None:
        """Code that cannot be read has no line."""
        assert ask(Interpreter(), "strict", "a\0")["text"].endswith(
            "Error: source code string cannot contain null bytes"
        )

    def test_line_within(self) -> None:
        """The line of an error is that of the action where it was raised, however deep."""
        reply = ask(Interpreter(), "strict", "def f():\n    return int('a')\n\nf()")
        assert reply["text"].startswith("line 2: ValueError: invalid literal")


class TestInterpreter:
    def test_namespace(self) -> None:
        """What one action defines is there for the next, and for an expression."""
        interpreter = Interpreter()
        ask(interpreter, "exec", "def f(x):\n    print('hi')\n    return [x]")
        assert ask(interpreter, "eval", "f(2)") == {"output": "hi", "error": "", "is_ok": True, "value": "[i2]"}
        assert ask(interpreter, "eval", "f(f)")["value"] == ""
        assert ask(interpreter, "eval", "g")["error"] == "Error: name 'g' is not defined"

    def test_hostile_streams(self) -> None:
        """Code that closes or replaces the standard streams, or writes no text, hides nothing of the next."""
        interpreter = Interpreter()
        ask(interpreter, "exec", "import sys; sys.stdout.close(); sys.stdout = sys.stderr = None")
        assert ask(interpreter, "intercode", "print(1)")["text"] == "{'output': '1', 'error': ''}"
        reply = ask(interpreter, "intercode", "import sys; sys.stdout.write(b'a')")
        assert reply["text"] == "{'error': 'Error: write() argument must be str, not bytes'}"
        assert Written(1).writable()

    def test_hostile_error(self) -> None:
        """An error that raises when it is told is told by its type."""
        code = "class E(Exception):\n    def __str__(self):\n        raise KeyboardInterrupt\nraise E"
        assert ask(Interpreter(), "strict", code)["text"] == "line 4: E: <KeyboardInterrupt while it was told>"
        code = code.replace("raise E", "error = SyntaxError()\nerror.msg = E()\nraise error")
        reply = ask(Interpreter(), "strict", code)
        assert reply["text"] == "SyntaxError: <KeyboardInterrupt while it was told>"

    def test_recursion(self) -> None:
        """An endless recursion is an error like any other."""
        interpreter = Interpreter()
        reply = ask(interpreter, "strict", "def f():\n    return f()\nf()")
        assert "RecursionError: maximum recursion depth exceeded" in reply["text"]
        assert ask(interpreter, "strict", "1")["text"] == "1"


class TestServe:
    def test_framed(self) -> None:
        """Each request is answered with the length of a text, and the text."""
        replies = BytesIO()
        serve(Interpreter(), BytesIO(line("x = 'é'") + line("x", "eval")), replies)
        first, text, second = replies.getvalue().split(b"\n")
        size = int(first)
        assert json.loads(text[:size]) == {"nonce": 7, "output": "", "error": "", "is_ok": True}
        assert json.loads(second) == {"nonce": 1, "value": '"\\u00e9"', "output": "", "error": "", "is_ok": True}
        assert text[size:] == str(len(second)).encode()

    def test_quiet(self) -> None:
        """A request without a nonce is done, and not answered."""
        request = {"nonce": "", "mode": "exec", "code": "x = 1", "most_characters": 100}
        replies = BytesIO()
        quiet = base64.b64encode(json.dumps(request).encode()) + b"\n"
        serve(Interpreter(), BytesIO(quiet + line("x", "eval")), replies)
        _, text = replies.getvalue().split(b"\n")
        assert json.loads(text)["value"] == "i1"

    def test_program(self) -> None:
        """As a program it keeps its answers apart from what code writes, and a forked process answers nothing."""
        codes = ["import os", "os.write(1, b'forged')", "pid = os.fork()", "os.waitpid(pid, 0) and None"]
        done = subprocess.run(
            [sys.executable, "-m", _python_worker.__name__],
            input=b"".join(map(line, codes)) + line("__import__('__main__').pid > 0", "eval"),
            capture_output=True,
            check=True,
        )
        assert done.stdout.count(b'"nonce"') == 5
        assert b"forged" not in done.stdout
        assert json.loads(done.stdout.split(b"\n")[-1])["value"] == "i1"
