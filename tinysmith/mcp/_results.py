"""What a call of a server's tool brought: text, structured data, or word of what is neither."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict

from attrs import frozen

from tinysmith._shown import one_line
from tinysmith.mcp._texts import cleaned, cleaned_json, cut


class Called(TypedDict):
    """A result as a `CallTool` node receives it."""

    text: str
    structured: str
    is_error: bool


@frozen
class McpResult:
    """What a server's tool answered. Its texts are no more to be trusted than a web page.

    Attributes:
        text: The parts that are text, one after another, and a line in brackets for each that is none (an image, a
            file) or was cut.
        structured: The structured content, as JSON text; empty where there is none.
        is_error: Whether the tool, or the server in its place, says that the call failed.
    """

    text: str
    structured: str = ""
    is_error: bool = False

    @property
    def shown(self) -> str:
        """What a model may be told: never empty, as providers refuse empty messages."""
        return self.text if self.text.strip() else self.structured or "(no output)"


def refusal(why: str) -> McpResult:
    """The result of a call that was not made, or that the server refused: an error that a model may mend."""
    return McpResult(why, is_error=True)


def result_of(answer: Mapping[str, Any], most_bytes: int) -> McpResult:
    """The result that a server's answer to `tools/call` tells, bounded.

    Args:
        answer: The answer as the protocol spells it.
        most_bytes: The most that the text may be, and the structured content.
    """
    lines = list(_texts(answer["content"]))
    structured = _structured(answer)
    if len(structured.encode()) > most_bytes:
        lines.append(f"[structured content of more than {most_bytes:,} bytes, left out]")
        structured = ""
    return McpResult(cut("\n".join(lines), most_bytes), structured, bool(answer.get("isError")))


def _structured(answer: Mapping[str, Any]) -> str:
    content = answer.get("structuredContent")
    return "" if content is None else json.dumps(cleaned_json(content), ensure_ascii=False)


def _texts(parts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        kind = part["type"]
        within = part.get("resource", {})
        if kind == "text" or "text" in within:
            yield cleaned(part["text"] if kind == "text" else within["text"])
        elif kind == "resource_link":
            yield f"[a link to {_shown(part['uri'])}, not followed]"
        else:
            data = part.get("data") or within.get("blob") or ""
            size = len(data) * 3 // 4 - data[-2:].count("=")
            yield f"[{_shown(part.get('mimeType') or within.get('mimeType') or kind)}, {size:,} bytes, not kept]"


def _shown(text: object) -> str:
    return one_line(cleaned(str(text)), 200)
