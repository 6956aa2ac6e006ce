"""Texts in LiteLLM's words, and its vectors in ours; nothing here imports it."""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from tinysmith.errors import ServerError
from tinysmith.messages import FREE, Usage
from tinysmith.models._endpoints import Endpoint
from tinysmith.models._failures import Failure, fit_to_show, of_exception


@frozen
class Embeddings:
    """What texts became.

    Attributes:
        vectors: One for each text, in the order of the texts, all of one length: 32-bit floats, which
            `numpy.frombuffer(vector, "float32")` reads as they lie.
        usage: The tokens of the texts and what they cost.
    """

    vectors: "tuple[array[float], ...]" = field(repr=lambda vectors: f"<{len(vectors)} vectors>")
    usage: Usage = FREE

    @property
    def length(self) -> int:
        """How many numbers each vector has; 0 where there is no vector."""
        return len(self.vectors[0]) if self.vectors else 0


@frozen
class EmbeddingCall:
    """One request for vectors, ready to be sent, again if need be.

    Attributes:
        model: The model as the user named it.
        endpoint: Where it goes, and the key.
        arguments: LiteLLM's arguments, all but the key.
    """

    model: str
    endpoint: Endpoint
    arguments: Mapping[str, Any]

    @property
    def texts(self) -> Sequence[str]:
        """What the vectors are asked of."""
        texts: Sequence[str] = self.arguments["input"]
        return texts

    def failed(self, error: BaseException, /) -> Failure:
        """What an exception of LiteLLM says."""
        return of_exception(error, self._quote, model=self.model, base_url=self.endpoint.base_url)

    def answered(self, response: Any, /) -> Embeddings | Failure:
        """What a response of LiteLLM says."""
        found = _vectors(getattr(response, "data", None), len(self.texts))
        if isinstance(found, str):
            problem = f"The server's answer cannot be read as embeddings ({found}). See what runs there."
            return Failure(ServerError, problem, model=self.model)
        counted = getattr(getattr(response, "usage", None), "prompt_tokens", None)
        if not isinstance(counted, int) or counted < 1:
            return Embeddings(found, Usage())  # the server did not count: LiteLLM then says 0.0 dollars
        return Embeddings(found, Usage(counted, 0, getattr(response, "_hidden_params", {}).get("response_cost")))

    def _quote(self, words: str) -> str:
        return fit_to_show(words, self.endpoint.key, self.texts)


def _vectors(data: Any, count: int) -> "tuple[array[float], ...] | str":
    """The vectors in the order of the texts, or what is wrong with them."""
    if not isinstance(data, Sequence) or isinstance(data, str):
        return "it holds no list of vectors"
    if len(data) != count:
        return f"it holds {len(data)} vectors for {count} texts"
    by_index = {_part(item, "index"): _part(item, "embedding") for item in data}
    if by_index.keys() != set(range(count)):
        return f"its vectors are not numbered from 0 to {count - 1}"
    vectors = []
    for index in range(count):
        vector = _vector(by_index[index])
        if vector is None:
            return f"vector {index} is no list of finite numbers"
        vectors.append(vector)
    lengths = sorted({len(vector) for vector in vectors})
    if len(lengths) > 1:
        return f"its vectors are of different lengths, {lengths[0]} to {lengths[-1]}"
    return tuple(vectors)


def _part(item: Any, name: str) -> Any:
    part = item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
    # What cannot be hashed is no index; True would pass for 1.
    return None if name == "index" and type(part) is not int else part


def _vector(numbers: Any) -> "array[float] | None":
    if not isinstance(numbers, list) or not numbers:
        return None
    try:
        vector = array("f", numbers)
    except (TypeError, OverflowError):
        return None
    return vector if all(map(math.isfinite, vector)) else None
