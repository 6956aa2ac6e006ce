"""Text of a server: hostile. What cannot be seen is written out, keys are taken out, and its size is bounded."""

import math
import re

from tinysmith._shown import encodable, escaped, scrubbed
from tinysmith.mapping import JSON

# Controls but tab and line feed; marks of direction; what has no width, but the joiners that scripts and emoji
# need; line separators; tags and the later variation selectors, which can spell out whole sentences.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def cleaned(text: str) -> str:
    r"""The text as a model or a person may read it: `\u202e` stands where such a character was."""
    plain = encodable(text).replace("\r\n", "\n")
    return scrubbed(_UNSEEN.sub(_written_out, plain))


def cleaned_json(value: JSON) -> JSON:
    """JSON data with every text in it cleaned; a number that JSON has not is null."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, list):
        return [cleaned_json(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(name): cleaned_json(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def cut(text: str, most_bytes: int) -> str:
    """The text, or its beginning and a line that says that it is one."""
    whole = text.encode()
    if len(whole) <= most_bytes:
        return text
    beginning = whole[:most_bytes].decode(errors="ignore")
    return f"{beginning}\n[cut: the first {most_bytes:,} of {len(whole):,} bytes]"


def _written_out(found: re.Match[str]) -> str:
    # `escaped` leaves no character of these as it is.
    return escaped(found[0])
