"""What an `Embedder` asks for, and what it makes of the answer."""

import math
from array import array
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import (
    refused_base_url,
    serving,
)
from loopback_embeddings import DOORS, EMBEDDED, Door, Maker, at_most, embeddings, letters, maker, own

from tinysmith.errors import (
    ServerError,
    UsageError,
)
from tinysmith.messages import FREE, Usage
from tinysmith.models import Embedder, Embeddings
from tinysmith.models._embeddings import EmbeddingCall
from tinysmith.models._endpoints import Endpoint
from tinysmith.models._failures import Failure
from tinysmith.models._secrets import Secret


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Door:
    return DOORS[request.param]


@pytest.fixture(params=EMBEDDED)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["argument", "environment"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Maker:
    return maker(request.param, monkeypatch.setenv)


class TestEmbed:
    def test_request(self, model: str, door: Door, made: Maker) -> None:
        """The texts go to `/embeddings` under the model's bare name, with the key, and nothing else is asked."""
        with serving(rest=embeddings()) as server:
            door(made(model, server.base_url), ["a boat", "a port"])
        assert [(seen.path, seen.auth) for seen in server.seen] == [("/v1/embeddings", "Bearer sk-given")]
        assert server.seen[0].body == {"model": model.partition("/")[2], "input": ["a boat", "a port"]}

    def test_vectors(self, model: str, door: Door, made: Maker) -> None:
        """Each text has its vector, of 32-bit floats."""
        with serving(rest=embeddings()) as server:
            vectors = door(made(model, server.base_url), ["ab", "b"]).vectors
        assert vectors == (array("f", letters("ab")), array("f", letters("b")))
        assert [vector.typecode for vector in vectors] == ["f", "f"]

    def test_index(self, model: str, door: Door, made: Maker) -> None:
        """A vector belongs to the text that its index names, in whatever order the vectors come."""
        data = [
            {"index": 1, "embedding": [0, 1]},
            {"index": 2, "embedding": [0, 2]},
            {"index": 0, "embedding": [1, 0]},
        ]
        with serving(rest=embeddings(data=data)) as server:
            found = door(made(model, server.base_url), ["x", "y", "z"])
        assert [list(vector) for vector in found.vectors] == [[1, 0], [0, 1], [0, 2]]

    @settings(max_examples=30)  # each has a server of its own
    @given(count=st.integers(0, 12), batch=st.integers(1, 5), limit=st.integers(1, 5))
    def test_batches(self, count: int, batch: int, limit: int) -> None:
        """No request has more texts than `batch`, and vectors come in the order of the texts, all of them."""
        texts = [chr(ord("a") + at) for at in range(count)]
        with serving(rest=at_most(limit)) as server:
            found = own(server.base_url, batch=batch).embed(texts)
        assert found.vectors == tuple(array("f", letters(text)) for text in texts)
        assert all(len(some) <= batch for some in server.embedded)
        assert [text for some in server.embedded if len(some) <= limit for text in some] == texts

    def test_one_at_a_time(self, door: Door) -> None:
        """What a request brings is handed out before the next is sent."""
        with serving(rest=embeddings()) as server:
            brought = own(server.base_url, batch=1).batches(["a", "b"])
            next(brought)
            assert server.embedded == [["a"]]
            assert [found.length for found in brought] == [26]
        assert server.embedded == [["a"], ["b"]]

    def test_nothing(self, door: Door) -> None:
        """No text is no request, and costs nothing."""
        nobody = own(refused_base_url())
        assert door(nobody, []) == door(nobody, ()) == Embeddings((), FREE)
        assert Embeddings((), FREE).length == 0

    def test_usage(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tokens are what the server counts, and the price is known of a provider's model, not of one's own."""
        with serving(rest=embeddings()) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            monkeypatch.setenv("OPENAI_API_KEY", "sk-given")
            listed = door(Embedder("openai/text-embedding-3-small", batch=2), ["a", "b", "c"]).usage
            assert door(own(server.base_url), ["a", "b"]).usage == Usage(2, 0, None)
        assert (listed.input_tokens, listed.output_tokens) == (3, 0)
        assert listed.cost_usd == pytest.approx(3 * 2e-8)

    @pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "total_tokens": 0}])
    def test_not_counted(self, usage: object, made: Maker) -> None:
        """A server that counts no tokens leaves the cost unknown."""
        with serving(rest=embeddings(usage=usage)) as server:
            embedder = made("openai/text-embedding-3-small", server.base_url)
            assert embedder.embed(["a"]).usage == Usage(0, 0, None)

    def test_surrogates(self, model: str, door: Door, made: Maker) -> None:
        """Half of a surrogate pair is sent as U+FFFD."""
        with serving(rest=embeddings()) as server:
            door(made(model, server.base_url), ["a\ud800b", "\ud83d\ude00"])
        assert server.embedded == [["a\ufffdb", "\U0001f600"]]

    def test_threads(self) -> None:
        """Threads may share an embedder."""
        with serving(rest=embeddings()) as server, ThreadPoolExecutor(8) as pool:
            embedder = own(server.base_url, batch=1)
            found = list(pool.map(lambda at: embedder.embed([chr(97 + at), "z"]), range(16)))
        assert [each.vectors[0].index(1.0) for each in found] == list(range(16))

    def test_repr(self) -> None:
        """A result shows how many vectors it has, not their numbers."""
        assert repr(Embeddings((array("f", [1, 2]),), Usage(1))).startswith(
            "Embeddings(vectors=<1 vectors>, usage="
        )


def item(index: object, embedding: object) -> dict[str, object]:
    return {"index": index, "embedding": embedding}


NOT_FINITE = "vector 1 is no list of finite numbers"
BAD: dict[str, tuple[object, str]] = {
    "no data": (None, "it holds no list of vectors"),
    "text": ("[1.0]", "it holds no list of vectors"),
    "too few": ([item(0, [1.0])], "it holds 1 vectors for 2 texts"),
    "too many": ([item(at, [1.0]) for at in range(3)], "it holds 3 vectors for 2 texts"),
    "twice": ([item(1, [1.0]), item(1, [2.0])], "its vectors are not numbered from 0 to 1"),
    "from 1": ([item(1, [1.0]), item(2, [2.0])], "its vectors are not numbered from 0 to 1"),
    "no index": ([{"embedding": [1.0]}, item(1, [2.0])], "its vectors are not numbered from 0 to 1"),
    "index true": ([item(0, [1.0]), item(True, [2.0])], "its vectors are not numbered from 0 to 1"),
    "index list": ([item(0, [1.0]), item([1], [2.0])], "its vectors are not numbered from 0 to 1"),
    "no items": ([1, 2], "its vectors are not numbered from 0 to 1"),
    "ragged": ([item(0, [1.0]), item(1, [1.0, 2.0])], "its vectors are of different lengths, 1 to 2"),
    "nan": ([item(0, [1.0]), item(1, [math.nan])], NOT_FINITE),
    "infinite": ([item(0, [1.0]), item(1, [-math.inf])], NOT_FINITE),
    "huge": ([item(0, [1.0]), item(1, [1e300])], NOT_FINITE),
    "huge whole": ([item(0, [1.0]), item(1, [10**400])], NOT_FINITE),
    "empty": ([item(0, [1.0]), item(1, [])], NOT_FINITE),
    "base64": ([item(0, [1.0]), item(1, "AACAPw==")], NOT_FINITE),
    "words": ([item(0, [1.0]), item(1, ["one"])], NOT_FINITE),
    "null": ([item(0, [1.0]), item(1, None)], NOT_FINITE),
    "object": ([item(0, [1.0]), item(1, {"0": 1.0})], NOT_FINITE),
}


class Response:
    """What LiteLLM returns for some providers: objects, not mappings."""

    def __init__(self, data: object, counted: object = 0) -> None:
        self.data = data
        self.usage = Counted(counted)


class Counted:
    def __init__(self, prompt_tokens: object) -> None:
        self.prompt_tokens = prompt_tokens


class Item:
    def __init__(self, index: int, embedding: list[float]) -> None:
        self.index = index
        self.embedding = embedding


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["index", "embedding"]), inner),
    max_leaves=12,
)


class TestAnswers:
    CALL = EmbeddingCall("hosted_vllm/own", Endpoint(None, None), {"input": ["a", "b"]})

    @pytest.mark.parametrize("name", BAD)
    def test_bad(self, name: str) -> None:
        """An answer that is no vector for each text is a failure of the server, which says what is wrong."""
        data, problem = BAD[name]
        found = self.CALL.answered(Response(data))
        assert isinstance(found, Failure)
        assert found.kind is ServerError
        assert (
            found.message == f"The server's answer cannot be read as embeddings ({problem}). See what runs there."
        )

    @given(data=JSON | st.lists(st.fixed_dictionaries({"index": st.integers(0, 2) | JSON, "embedding": JSON})))
    def test_hostile(self, data: object) -> None:
        """Whatever the answer holds, it is two finite vectors of one length, or a failure."""
        found = self.CALL.answered(Response(data))
        if isinstance(found, Embeddings):
            first, second = found.vectors
            assert len(first) == len(second) == found.length > 0
            assert all(map(math.isfinite, [*first, *second]))
        else:
            assert found.kind is ServerError

    def test_objects(self) -> None:
        """LiteLLM's own objects are read as well as mappings."""
        found = self.CALL.answered(Response([Item(1, [2.0]), Item(0, [1.0])]))
        assert found == Embeddings((array("f", [1.0]), array("f", [2.0])), Usage())

    @pytest.mark.parametrize(("counted", "usage"), [(3, Usage(3)), (-3, Usage()), ("3", Usage()), (None, Usage())])
    def test_counted(self, counted: object, usage: Usage) -> None:
        """Tokens are what the server says, if that is a number of tokens."""
        found = self.CALL.answered(Response([item(0, [1.0]), item(1, [1.0])], counted))
        assert isinstance(found, Embeddings)
        assert found.usage == usage

    @pytest.mark.parametrize("name", ["too few", "ragged", "nan"])
    def test_wire(self, name: str, model: str, door: Door, made: Maker) -> None:
        """Such an answer is asked for again, and raised in the end."""
        data, problem = BAD[name]
        with serving(rest=embeddings(data=data)) as server, pytest.raises(ServerError) as caught:
            door(made(model, server.base_url, max_retries=1, backoff_s=0.001), ["a", "b"])
        assert problem in str(caught.value)
        assert len(server.seen) == 2

    def test_other_length(self, door: Door) -> None:
        """Vectors of two requests that differ in length are refused, for the server has changed its model."""
        with (
            serving(embeddings(), rest=embeddings(lambda _: [1.0, 2.0])) as server,
            pytest.raises(ServerError) as caught,
        ):
            door(own(server.base_url, batch=1), ["a", "b", "c"])
        assert "vectors of 26 numbers, and now of 2. See whether" in str(caught.value)
        assert len(server.seen) == 2


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"model": "mistral-embed"}, "'mistral/mistral-embed'"),
            ({"model": None}, "model=None is not text"),
            ({"base_url": 3}, "base_url=3 is not text"),
            ({"base_url": "localhost"}, "is no URL"),
            ({"batch": 0}, "batch=0 is not a whole number of at least 1"),
            ({"batch": 1.5}, "batch=1.5 is not a whole number"),
            ({"batch": None}, "batch is None. Give a number, or leave it out"),
            ({"timeout_s": 0}, "timeout_s=0 is not a number of at least 0.001"),
            ({"max_retries": -1}, "max_retries=-1 is not a whole number"),
            ({"backoff_s": math.nan}, "backoff_s=nan is not a number"),
            ({"max_wait_s": -1}, "max_wait_s=-1 is not a number"),
            ({"api_key": ""}, "api_key is empty"),
            ({"api_key": "k", "api_key_env": "K"}, "Both api_key and api_key_env"),
            ({"api_key_env": "no variable"}, "api_key_env is not the name"),
        ],
    )
    def test_refused(self, given: dict[str, Any], problem: str) -> None:
        """What cannot be meant is told where it is written."""
        with pytest.raises(UsageError) as caught:
            Embedder(**{"model": "openai/x", **given})
        assert problem in str(caught.value)

    def test_repr(self) -> None:
        """An embedder shows what was given, and no key."""
        embedder = Embedder("openai/x", api_key="sk-given", base_url="http://localhost:8000/", batch=5)
        assert repr(embedder) == "Embedder('openai/x', base_url='http://localhost:8000/v1', batch=5)"
        assert repr(Embedder.__new__(Embedder)) == "Embedder(None)"

    def test_mistral(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Mistral's own host is known, and its key goes there."""
        monkeypatch.setenv("MISTRAL_API_KEY", "sk-given")
        monkeypatch.delenv("MISTRAL_AZURE_API_BASE", raising=False)
        call = Embedder("mistral/mistral-embed")._call(["a"])
        assert isinstance(call, EmbeddingCall)
        assert call.endpoint == Endpoint("https://api.mistral.ai/v1", Secret("sk-given"))
