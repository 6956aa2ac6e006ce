"""The switch that keeps a process, such as a test run, from asking real models."""

from contextlib import AbstractContextManager

from tinysmith.errors import RealRequestRefused
from tinysmith.models._endpoints import Endpoint
from tinysmith.models._failures import Failure

_are_forbidden = False


def permitted(endpoint: Endpoint | Failure, model: str) -> Endpoint | Failure:
    """Where a request goes, unless it would leave this computer while real requests are refused."""
    if not _are_forbidden or (isinstance(endpoint, Endpoint) and endpoint.is_loopback):
        return endpoint
    problem = "Real requests are switched off (forbid_real_requests). Use a script, or a server on loopback."
    return Failure(RealRequestRefused, problem, model=model)


def forbid_real_requests() -> AbstractContextManager[None]:
    """From now on, requests to real models are refused; as a context manager, until the end of the block.

    Real is what leaves this computer: a loopback `base_url`, as of a test's own server, is still asked.
    Everything else raises `RealRequestRefused` before LiteLLM is even imported, in every thread of the
    process.

        forbid_real_requests()            # in conftest.py

        with forbid_real_requests(): ...
    """
    return _Switch(forbid=True)


def allow_real_requests() -> AbstractContextManager[None]:
    """The opposite: for the one test in a thousand that is meant to ask."""
    return _Switch(forbid=False)


class _Switch(AbstractContextManager[None]):
    def __init__(self, *, forbid: bool) -> None:
        global _are_forbidden  # noqa: PLW0603  # one switch a process is the point
        self._before = _are_forbidden
        _are_forbidden = forbid

    def __enter__(self) -> None:
        """Nothing more: making it has thrown the switch."""

    def __exit__(self, *_: object) -> None:
        global _are_forbidden  # noqa: PLW0603  # as above
        _are_forbidden = self._before
