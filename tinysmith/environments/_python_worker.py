"""The interpreter within the sandbox: a program of its own, sent there as text; it imports nothing of ours.

It reads one request a line, base64 of JSON, and answers each with the length of a JSON text, a line break, and
the text; one without a nonce is done, and not answered. A request has `nonce`, `mode`, `code` and
`most_characters`; the modes are:

    intercode   an action as InterCode runs it: printed around, unless it assigns, prints, imports or defines
    strict      an action as Python's own prompt runs it: the value of a last expression is shown
    exec        statements, about which nothing is told but whether they raised
    eval        an expression, of which `canonical` tells the value

What code prints is caught, the standard streams lead nowhere, and a process that code forked answers nothing.
"""

import ast
import io
import os
import sys
import types
from binascii import a2b_base64
from json import dumps, loads  # by name, so that code may do with the module what it likes

TYPE_CHECKING = False  # as the checkers know it; to import typing takes as long as to start
if TYPE_CHECKING:
    from typing import IO, Any

FILE = "<action>"
_MOST_NODES = 20_000
_MOST_DEPTH = 50
_MOST_CANONICAL = 100_000


class OpaqueValue(ValueError):
    """A value has no canonical text."""


def canonical(value: "Any") -> str:
    """A text that two values of built-in types have in common exactly where `==` holds.

    Raises:
        OpaqueValue: It is of another type, or too large.
    """
    text = _canonical(value, _MOST_DEPTH, [_MOST_NODES])
    if len(text) > _MOST_CANONICAL:
        raise OpaqueValue("it is too long")
    return text


def _canonical(value: "Any", depth: int, left: list[int]) -> str:
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        raise OpaqueValue("it is too large")

    def all_of(values: "Any") -> list[str]:
        return [_canonical(each, depth - 1, left) for each in values]

    if isinstance(value, list):
        return f"[{','.join(all_of(value))}]"
    if isinstance(value, tuple):
        return f"({','.join(all_of(value))})"
    if isinstance(value, (set, frozenset, type({}.keys()))):
        return f"{{{','.join(sorted(all_of(value)))}}}"
    if isinstance(value, dict):
        pairs = zip(all_of(value), all_of(value.values()), strict=True)
        return f"<{','.join(sorted(map(':'.join, pairs)))}>"
    return _canonical_scalar(value)


def _canonical_scalar(value: "Any") -> str:
    if value is None:
        return "None"
    if isinstance(value, str):
        return dumps(str(value))
    if isinstance(value, (bytes, bytearray)):
        return f"b{value.hex()}"
    if isinstance(value, complex) and not value.imag:
        value = value.real
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return f"i{int(value):x}"
    if isinstance(value, float):
        return float.hex(value)
    if isinstance(value, complex):
        return f"{float.hex(value.real)}+{float.hex(value.imag)}j"
    raise OpaqueValue("it is of no built-in type")


class Written(io.TextIOBase):
    """What was printed, up to a number of characters; whatever code does to it, it can be read."""

    def __init__(self, most: int) -> None:
        self._parts: list[str] = []
        self._most = self._left = most
        self.is_cut = False

    def writable(self) -> bool:
        """It is, even when it is closed."""
        return True

    def write(self, text: str, /) -> int:
        """Keeps the text as long as there is room."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._parts.append(text[: self._left])
        self.is_cut = self.is_cut or len(text) > self._left
        self._left -= len(self._parts[-1])
        return len(text)

    def said(self) -> str:
        """All that was kept."""
        return "".join(self._parts)

    def cut(self, error: str) -> str:
        """As many characters of an error as of what was printed."""
        self.is_cut = self.is_cut or len(error) > self._most
        return error[: self._most]


class Interpreter:
    """One namespace, and what is done in it."""

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self._pid = os.getpid()

    def answer(self, request: "dict[str, Any]") -> "dict[str, Any]":
        """Does what a request asks for."""
        mode, code, most = request["mode"], request["code"], request["most_characters"]
        reply: dict[str, Any] = {"nonce": request["nonce"]}
        if mode == "intercode":
            reply.update(self._as_intercode(code, most))
        else:
            output = Written(most)
            errors = output if mode == "strict" else Written(most)
            error = self._caught(lambda: getattr(self, f"_{mode}")(code, reply), output, errors)
            reply.update(_as_strict(output, error) if mode == "strict" else _outcome(output, errors, error))
            reply["is_ok"] = error is None
        self._leave_if_forked()
        return reply

    def _leave_if_forked(self) -> None:
        if os.getpid() != self._pid:
            os._exit(0)

    def _as_intercode(self, code: str, most: int) -> "dict[str, Any]":
        try:
            text = code if code.strip().startswith("def ") else _printed_around(code)
        except Exception as error:  # noqa: BLE001  # of any kind that the parser raises, of hostile code
            return {"text": f"Error executing action: {error}"[:most], "is_ok": False, "is_cut": False}
        output, errors = Written(most), Written(most)
        outcome = _outcome(output, errors, self._caught(lambda: self._exec(text, {}), output, errors))
        is_cut = output.is_cut or errors.is_cut
        return {"text": str(outcome), "is_ok": not outcome["error"], "is_cut": is_cut}

    def _exec(self, code: str, _: "dict[str, Any]") -> None:
        exec(code, vars(self.module))  # noqa: S102  # the purpose of this program

    def _eval(self, code: str, reply: "dict[str, Any]") -> None:
        value = eval(code, vars(self.module))  # noqa: S307  # the purpose of this program
        try:
            reply["value"] = canonical(value)
        except OpaqueValue:
            reply["value"] = ""

    def _strict(self, code: str, _: "dict[str, Any]") -> None:
        tree = ast.parse(code, FILE)
        end = tree.body[-1] if tree.body else None
        last = end.value if isinstance(end, ast.Expr) else None
        tree.body = tree.body[:-1] if last else tree.body
        exec(compile(tree, FILE, "exec"), vars(self.module))  # noqa: S102  # the purpose of this program
        if last is not None:
            value = eval(compile(ast.Expression(last), FILE, "eval"), vars(self.module))  # noqa: S307  # likewise
            if value is not None:
                sys.stdout.write(f"{value!r}\n")

    def _caught(self, work: "Any", output: Written, errors: Written) -> "Any":
        """What it raises, or None; what it prints goes there."""
        sys.stdout, sys.stderr = output, errors
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # SystemExit and hostile kinds too: the interpreter goes on
            return error
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        return None


def _printed_around(code: str) -> str:
    """InterCode's rule: what neither assigns, prints, imports nor asserts becomes the argument of a print."""
    nodes = list(ast.walk(ast.parse(code.strip())))
    is_plain = code.strip().startswith("assert") or any(
        isinstance(node, (ast.Assign, ast.Import))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        for node in nodes
    )
    return code if is_plain else f"print({code})"


def _outcome(output: Written, errors: Written, error: "Any") -> "dict[str, Any]":
    """What InterCode's server tells: of code that raises, not what it printed before."""
    if error is not None:
        kind = "" if isinstance(error, Exception) else f"{type(error).__name__}: "
        return {"error": output.cut(f"Error: {kind}{_words(error)}")}
    return {"output": output.said().strip(), "error": errors.said().strip()}


def _as_strict(output: Written, error: "Any") -> "dict[str, Any]":
    text = output.said()
    if error is not None:
        lines, words = _lines(error), _words(error)
        if isinstance(error, SyntaxError):
            lines, words = [error.lineno] if error.lineno else [], _words(error.msg)
        where = f"line {lines[-1]}: " if lines else ""
        text += "\n" * bool(text and not text.endswith("\n"))
        text += output.cut(f"{where}{type(error).__name__}" + (f": {words}" if words else ""))
    return {"text": text.rstrip("\n"), "is_cut": output.is_cut}


def _lines(error: BaseException) -> "list[int]":
    """The lines of the action through which the error came, the innermost last."""
    lines: list[int] = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return lines


def _words(error: "Any") -> str:
    """What an error, or its message, says; hostile ones may raise when they are asked."""
    try:
        return str(error)[:10_000]
    except BaseException as another:  # noqa: BLE001  # of any kind: it is code from outside
        return f"<{type(another).__name__} while it was told>"


def serve(interpreter: Interpreter, requests: "IO[bytes]", replies: "IO[bytes]") -> None:
    """Answers requests until there are no more."""
    for line in requests:
        answer = interpreter.answer(loads(a2b_base64(line)))
        if answer["nonce"]:
            reply = dumps(answer).encode("ascii")
            replies.write(b"%d\n%s" % (len(reply), reply))
            replies.flush()


def streams() -> "tuple[IO[bytes], IO[bytes]]":
    """The standard input and output as files of their own, after which the standard streams lead nowhere."""
    kept = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return kept


if __name__ == "__main__":
    this = Interpreter()
    sys.modules["__main__"] = this.module
    serve(this, *streams())
    os._exit(0)  # threads that code began may not end
