"""Models that answer without waiting for anybody: their two doors are one."""

from abc import ABC, abstractmethod

from tinysmith.messages import Ask, Reply


class AtOnce(ABC):
    """A model whose `aask` is its `ask`."""

    @abstractmethod
    def ask(self, request: Ask, /) -> Reply:
        """Answers."""

    async def aask(self, request: Ask, /) -> Reply:
        """Answers, as `ask`."""
        return self.ask(request)
