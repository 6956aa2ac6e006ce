"""One test for every back end."""

from collections.abc import Callable
from functools import partial

import pytest
from podman import IMAGE
from sandboxes import Maker, apart, become, for_each

from tinysmith.sandbox import Backend
from tinysmith.sandbox.bubblewrap import Bubblewrap
from tinysmith.sandbox.choosing import BACKENDS
from tinysmith.sandbox.docker import Docker


def on_each_back_end(test: Callable[..., None]) -> Callable[..., None]:
    """A test that is done with each back end, in a process apart; it takes the `Maker` as `back_end`."""

    def call(which: str, work: Callable[..., None], request: pytest.FixtureRequest) -> None:
        name, _, who = which.partition(" as ")
        if who:
            become(who, partial(work, back_end=Maker(Bubblewrap())))
        else:
            apart(partial(work, back_end=Maker(_back_end(name, request))))

    others = [name for name in BACKENDS if name != "bubblewrap"]
    return for_each(test, "back_end", ["bubblewrap as root", "bubblewrap as user", *others], call)


def _back_end(name: str, request: pytest.FixtureRequest) -> Backend:
    if name == "docker":
        return Docker(IMAGE, base_url=request.getfixturevalue("podman").url)
    return BACKENDS[name]()
