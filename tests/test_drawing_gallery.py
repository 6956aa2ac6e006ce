"""Pictures of all built-in strategies, in all formats, with all overlays."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browser import OVERLAPS, Browser, mermaid_in

import machines
from tinysmith import Limits, Run, Samples, Strategy, Tool, run
from tinysmith.coverage import Coverage
from tinysmith.drawing import FORMATS, draw
from tinysmith.environments import SqlEnvironment
from tinysmith.strategy import plan_of

GALLERY: list[type[Strategy[Any]]] = [getattr(machines, name) for name in machines.__all__]
SUFFIXES = {"mermaid": "mmd", "text": "txt"}

pytestmark = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no dot on the PATH")


def nothing(**_: object) -> list[object]:
    """What every tool finds."""
    return []


def played(strategy: type[Strategy[Any]]) -> Run[Any]:
    """A short run of a built-in strategy on a bundled task, by its own samples."""
    environment = SqlEnvironment.demo()
    tools = {name: nothing for name, kind in plan_of(strategy).kinds.items() if kind is Tool}
    return run(
        strategy(),
        model=Samples(strategy, seed=1),
        environment=environment,
        task=environment.tasks["count-boats"],
        tools=tools,
        limits=Limits(max_asks=12),
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every strategy in every format: plain, at a node, with a path, with coverage, with heat."""
    folder = tmp_path_factory.mktemp("pictures")
    for strategy in GALLERY:
        ended = played(strategy)
        overlays: dict[str, dict[str, Any]] = {
            "plain": {},
            "at": {"at": ended.position},
            "run": {"run": ended},
            "coverage": {"coverage": Coverage.of(ended)},
            "heat": {"run": ended, "heat": "tokens"},
        }
        for name, overlay in overlays.items():
            for format_ in FORMATS:
                picture = draw(strategy, format_, **overlay)
                place = folder / f"{strategy.__name__}-{name}.{SUFFIXES.get(format_, format_)}"
                place.write_bytes(picture.encode() if isinstance(picture, str) else picture)
    return folder


def luminance(colour: str) -> float:
    """The relative luminance of a CSS colour, as WCAG 2.2 defines it."""
    channels = [float(number) for number in re.findall(r"[\d.]+", colour.removeprefix("color(srgb"))[:3]]
    scale = 1 if colour.startswith("color(srgb") else 255
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / scale for channel in channels)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def least_contrast(pairs: list[list[str]]) -> float:
    """The smallest contrast among pairs of a text's colour and its ground's."""
    lights = [sorted(map(luminance, pair)) for pair in pairs]
    return min(((lighter + 0.05) / (darker + 0.05) for darker, lighter in lights), default=21.0)


class TestGallery:
    def test_every_picture_is_there(self, pictures: Path) -> None:
        """Each of the strategies is drawn in each format with each overlay."""
        made = list(pictures.iterdir())
        assert len(made) == len(GALLERY) * 5 * len(FORMATS)
        assert all(place.stat().st_size > 30 for place in made)

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_mermaid_shows_all_and_no_label_lies_on_another(
        self, browser: Browser, mermaid_library: Path, pictures: Path, dark: bool
    ) -> None:
        """The real Mermaid renders every diagram with all nodes, and no label over another or over a node."""
        places = sorted(pictures.glob("*.mmd"))
        rendered = mermaid_in(browser, mermaid_library, [place.read_text("utf-8") for place in places], dark=dark)
        for place, made in zip(places, rendered, strict=True):
            strategy = getattr(machines, place.name.partition("-")[0])
            names = [text.partition("\n")[0].removeprefix("✓ ") for text in made.nodes]
            assert (place.name, made.error, made.overlaps, made.foreign) == (place.name, "", [], [])
            assert (place.name, least_contrast(made.colours)) >= (place.name, 4.5)
            assert sorted(names) == sorted(strategy.__plan__.nodes)

    def test_no_label_of_a_page_lies_on_another(self, browser: Browser, pictures: Path) -> None:
        """In the pages no label lies over another one or over a node's name, and all of them fit the window."""
        for place in sorted(pictures.glob("*.html")):
            browser.open(place.as_uri())
            assert browser.complaints == []
            parts = "document.querySelectorAll('.edge > text'), document.querySelectorAll('.node > text')"
            assert (place.name, browser.evaluate(f"({OVERLAPS})({parts})")) == (place.name, [])
            outside = """[...document.querySelectorAll("main text")].filter((text) => {
                const box = text.getBoundingClientRect();
                return box.left < 0 || box.right > innerWidth || box.bottom > innerHeight;
            }).length"""
            assert (place.name, browser.evaluate(outside)) == (place.name, 0)

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_every_text_of_a_page_can_be_read(self, browser: Browser, pictures: Path, dark: bool) -> None:
        """In light and in dark every text has the contrast to its ground that WCAG 2.2 asks for (AA: 4.5)."""
        colours = """[...document.querySelectorAll("main text")].map((text) => {
            const shape = text.parentElement.querySelector(":scope > :is(path, polygon, ellipse)");
            const ground = text.parentElement.matches(".node")
                ? getComputedStyle(shape).fill : getComputedStyle(document.body).backgroundColor;
            return [getComputedStyle(text).fill, ground];
        })"""
        for place in sorted(pictures.glob("*.html")):
            browser.open(place.as_uri(), dark=dark)
            assert (place.name, least_contrast(browser.evaluate(colours))) >= (place.name, 4.5)

    def test_no_text_of_a_page_is_cut(self, browser: Browser, pictures: Path) -> None:
        """In the pages every name fits the shape that it stands in."""
        wider = """[...document.querySelectorAll(".node:not(.start)")].filter((node) => {
            const shape = node.querySelector("path, polygon, ellipse").getBoundingClientRect();
            return [...node.querySelectorAll("text")].some((text) => {
                const box = text.getBoundingClientRect();
                return box.left < shape.left || box.right > shape.right || box.top < shape.top - 1;
            });
        }).length"""
        for place in sorted(pictures.glob("*.html")):
            browser.open(place.as_uri())
            assert (place.name, browser.evaluate(wider)) == (place.name, 0)
