"""The models: whatever answers a prompt."""

from tinysmith.models._embeddings import Embeddings
from tinysmith.models._schema import schema_in_prompt
from tinysmith.models.embedder import Embedder
from tinysmith.models.human import Human
from tinysmith.models.llm import LLM
from tinysmith.models.recorded import Recorded
from tinysmith.models.samples import Samples
from tinysmith.models.scripted import Scripted

__all__ = ["LLM", "Embedder", "Embeddings", "Human", "Recorded", "Samples", "Scripted", "schema_in_prompt"]
