"""Opening an index of either kind."""

from os import PathLike

from tinysmith.errors import UsageError
from tinysmith.models import Embedder
from tinysmith.retrieval._embedding import EmbeddingIndex
from tinysmith.retrieval._file import header_of
from tinysmith.retrieval._lexical import LexicalIndex


def open_index(
    path: str | PathLike[str], *, base_url: str | None = None, api_key_env: str | None = None
) -> LexicalIndex | EmbeddingIndex:
    """Opens an index of either kind; which it is, and which model its vectors are of, the file says.

    Args:
        path: A file that `tinysmith index` wrote.
        base_url: The server that the embedding model is on, if it is one's own.
        api_key_env: The environment variable that holds the key for it.

    Raises:
        DataError: There is none, or it is no index.
        UsageError: A server is named for an index that asks none.
    """
    header = header_of(path)
    if header.kind == "embedding":
        return EmbeddingIndex(path, Embedder(header.model, base_url=base_url, api_key_env=api_key_env))
    if base_url is not None or api_key_env is not None:
        raise UsageError(f"{path}: it is a lexical index, which asks no server. Leave out the URL and the key.")
    return LexicalIndex(path)
