"""Memory as nodes and board fields: what an agent did, what it amounts to, and what it learned."""

from tinysmith.memory._exchanges import Exchange, Memory, Remember, fitted
from tinysmith.memory._notebook import Notebook
from tinysmith.memory._notes import Note, Recall
from tinysmith.memory._recollect import Recollect
from tinysmith.memory._summary import Summarise

__all__ = ["Exchange", "Memory", "Note", "Notebook", "Recall", "Recollect", "Remember", "Summarise", "fitted"]
