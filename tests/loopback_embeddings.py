"""What the loopback server answers where embeddings are asked for, the embedders that ask it, and an index."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from loopback import Answer, Handler, Seen, serving, status

from tinysmith.models import Embedder, Embeddings
from tinysmith.retrieval import EmbeddingIndex, Passage


def letters(text: str) -> list[float]:
    """A vector of a text: how often each letter is in it. Texts of the same letters have the same direction."""
    return [float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"]


def embeddings(vector_of: Callable[[str], list[Any]] = letters, **over: Any) -> Answer:
    """A vector for each text; what is given as `over` replaces a part of the body."""

    def answer(handler: Handler, seen: Seen) -> None:
        vectors = [vector_of(text) for text in seen.body["input"]]
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
        usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
        handler.send_json(200, {"object": "list", "data": data, "model": "served", "usage": usage, **over})

    return answer


def at_most(most: int, code: int = 400, otherwise: Answer | None = None) -> Answer:
    """Embeds, but refuses a request of more texts than that."""

    def answer(handler: Handler, seen: Seen) -> None:
        is_fit = len(seen.body["input"]) <= most
        ((otherwise or embeddings()) if is_fit else status(code, f"at most {most} inputs"))(handler, seen)

    return answer


# Embedders -----------------------------------------------------------------------------------------


class Maker(Protocol):
    """Makes an embedder whose server is a loopback one."""

    def __call__(self, model: str, base_url: str, **options: Any) -> Embedder: ...


def own(base_url: str, **options: Any) -> Embedder:
    """A model on the test's own server."""
    return Embedder("hosted_vllm/own", base_url=base_url, **{"backoff_s": 0.001, **options})


def maker(place: str, setenv: Callable[[str, str], None]) -> Maker:
    """An embedder's server is its argument, or found in the environment: LiteLLM has another way for each."""

    def make(model: str, base_url: str, **options: Any) -> Embedder:
        if place == "argument":
            return Embedder(model, base_url=base_url, api_key="sk-given", **options)
        prefix = model.partition("/")[0]
        setenv(BASES[prefix], base_url)
        setenv(KEYS[prefix], "sk-given")
        return Embedder(model, **options)

    return make


EMBEDDED = ("openai/text-embedding-3-small", "mistral/mistral-embed", "hosted_vllm/own")
"""An embedding model of each kind."""

KEYS = {"openai": "OPENAI_API_KEY", "mistral": "MISTRAL_API_KEY", "hosted_vllm": "HOSTED_VLLM_API_KEY"}
BASES = {"openai": "OPENAI_BASE_URL", "mistral": "MISTRAL_AZURE_API_BASE", "hosted_vllm": "HOSTED_VLLM_API_BASE"}

Door: TypeAlias = Callable[[Embedder, Sequence[str]], Embeddings]

DOORS: dict[str, Door] = {
    "embed": lambda embedder, texts: embedder.embed(texts),
    "aembed": lambda embedder, texts: asyncio.run(embedder.aembed(texts)),
}
"""The two ways to embed."""


# An index ------------------------------------------------------------------------------------------

BOATS = (
    Passage("aaa", "a.md:1"),
    Passage("aab", "a.md:2"),
    Passage("abb", "b.md:1"),
    Passage("bbb", "b.md:2"),
    Passage("ccc", "c.md:1"),
)


def built(path: Path, passages: Sequence[Passage] = BOATS) -> Path:
    """An index that was built in another time and place."""
    with serving(rest=embeddings()) as server:
        EmbeddingIndex.build(path, passages, own(server.base_url))
    return path
