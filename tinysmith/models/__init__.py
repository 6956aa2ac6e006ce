"""The models: whatever answers a prompt."""

from tinysmith.models.human import Human
from tinysmith.models.llm import LLM
from tinysmith.models.recorded import Recorded
from tinysmith.models.samples import Samples
from tinysmith.models.scripted import Scripted

__all__ = ["LLM", "Human", "Recorded", "Samples", "Scripted"]
