"""Inspect's models as ours."""

from typing import NoReturn

from attrs import frozen
from inspect_ai.model import Model, get_model

from tinysmith._shown import one_line, scrubbed
from tinysmith.errors import (
    AuthenticationError,
    BadRequestError,
    ModelError,
    ModelTimeout,
    RateLimited,
    ServerError,
    UnknownModelError,
    UsageError,
)
from tinysmith.inspect_ai._translate import chat, config_of, reply_of, tools_of
from tinysmith.inspect_ai._waiting import let_end
from tinysmith.messages import Ask, Reply
from tinysmith.models._failures import fit_to_show
from tinysmith.models._schema import schema_in_prompt

_KINDS: dict[int, type[ModelError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: UnknownModelError,
    408: ModelTimeout,
    429: RateLimited,
}


@frozen
class InspectModel:
    """Has one of Inspect's models answer, in Inspect's event loop.

    Attributes:
        model: Which one; None for the one of the role that is named like the node that asks, and where there is
            no such role for the model that is evaluated.
    """

    model: Model | None = None

    def ask(self, request: Ask, /) -> Reply:
        """Refuses: Inspect's models answer in its event loop only.

        Raises:
            UsageError: Always.
        """
        raise UsageError("Inspect's models answer in Inspect's event loop only; run the strategy with arun().")

    async def aask(self, request: Ask, /) -> Reply:
        """Answers. Inspect tries again, waits, caches and logs as it is configured.

        Raises:
            ModelError: The model cannot answer.
            Ended: Inspect ends the sample.
        """
        model = self.model or get_model(role=request.node or None)
        tools, config = tools_of(request), config_of(request)
        messages = schema_in_prompt(request).messages
        try:
            output = await model.generate(chat(messages), tools=tools, config=config)
        except Exception as error:  # noqa: BLE001  # a provider's own, of any kind
            let_end(error)
            _fail(error, str(model), [message.content for message in messages])
        return reply_of(output, str(model))


def _fail(error: Exception, model: str, prompts: list[str]) -> NoReturn:
    """Raises a provider's exception as ours, in its words without the prompt's."""
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else None
    words = getattr(error, "provider_message", None) or str(error)
    said = one_line(fit_to_show(scrubbed(words), None, prompts), 300)
    kind: type[ModelError] = ModelTimeout if isinstance(error, TimeoutError) else ModelError
    if status is not None:
        kind = _KINDS.get(status, BadRequestError if 400 <= status < 500 else ServerError)
    problem = f"Inspect's model raised {type(error).__name__}" + (f": {said}" if said else "")
    raise kind(f"{problem}. See the sample's transcript.", model=model, status=status) from None
