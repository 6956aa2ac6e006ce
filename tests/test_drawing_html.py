"""The HTML page, in a real Chromium."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from awkward import MARKS, Awkward
from browser import Browser
from sketches import Rescue

from tinysmith._shown import escaped
from tinysmith.drawing import draw

pytestmark = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no dot on the PATH")

VIEW = "document.querySelector('main > svg').getAttribute('viewBox').split(' ').map(Number)"
TIP = "(tip => tip.hidden ? '' : tip.textContent)(document.getElementById('tip'))"
GOOD = "[...document.querySelectorAll('.edge text')].find(text => text.textContent.includes('is_good'))"


def middle(browser: Browser, element: str) -> dict[str, float]:
    """The middle of an element, in the window."""
    place: dict[str, float] = browser.evaluate(
        f"(box => ({{x: box.x + box.width / 2, y: box.y + box.height / 2}}))({element}.getBoundingClientRect())"
    )
    return place


def click(browser: Browser, x: float, y: float) -> None:
    """A click with the left button."""
    for what in ("mousePressed", "mouseReleased"):
        browser.mouse(what, x, y, button="left", clickCount=1)


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The address of a page that shows every kind of node."""
    place = tmp_path / "rescue.html"
    place.write_text(str(draw(Rescue, "html", at="eye")), encoding="utf-8")
    return place.as_uri()


class TestPage:
    def test_needs_nothing_else(self, browser: Browser, page: str) -> None:
        """The page asks for nothing but itself, and breaks no rule of its own policy."""
        browser.open(page)
        assert browser.requests == [page]
        assert browser.complaints == []

    def test_its_policy_lets_nothing_out(self, browser: Browser, page: str) -> None:
        """A request that a script tried to send would not be sent."""
        browser.open(page)
        refused = "fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)"
        assert browser.evaluate(refused) == "TypeError"
        assert any("Content Security Policy" in complaint for complaint in browser.complaints)

    def test_awkward_names_and_docstrings_do_no_harm(self, browser: Browser, tmp_path: Path) -> None:
        """Whatever names and docstrings are, they are texts of the page: no script, no element, no request."""
        place = tmp_path / "awkward.html"
        place.write_text(str(draw(Awkward, "html")), encoding="utf-8")
        browser.open(place.as_uri())
        assert browser.requests == [place.as_uri()]
        assert browser.complaints == []
        assert browser.evaluate("window.harmed === undefined && document.scripts.length") == 1
        assert browser.evaluate("document.querySelectorAll('b, a, img, iframe, main script').length") == 0
        tips: list[str] = browser.evaluate("[...document.querySelectorAll('.edge')].map(e => e.dataset.tip ?? '')")
        for mark in MARKS:
            assert escaped(f"{mark}\n\nA second paragraph: {mark}") in tips
        script = "[...document.querySelectorAll('.edge')].find(edge => edge.dataset.tip?.startsWith('<script'))"
        browser.evaluate(f"{script}.focus()")
        assert browser.evaluate(TIP) == browser.evaluate(f"{script}.dataset.tip")

    def test_is_light_or_dark(self, browser: Browser, page: str) -> None:
        """The page and its picture follow the reader's system: dark on light, or light on dark."""
        colours = """[
            getComputedStyle(document.body).backgroundColor,
            getComputedStyle(document.querySelector(".rule text")).fill,
            getComputedStyle(document.querySelector(".rule polygon")).fill,
        ]"""
        light, dark = (_colours(browser, page, colours, dark=dark) for dark in (False, True))
        assert [brightness > 128 for brightness in light] == [True, False, True]
        assert [brightness > 128 for brightness in dark] == [False, True, False]


def _colours(browser: Browser, page: str, expression: str, *, dark: bool) -> list[float]:
    browser.open(page, dark=dark)
    return [sum(map(int, re.findall(r"\d+", colour)[:3])) / 3 for colour in browser.evaluate(expression)]


class TestView:
    def test_the_wheel_zooms_where_it_points(self, browser: Browser, page: str) -> None:
        """The wheel zooms in and out, and what is under the pointer stays there."""
        browser.open(page)
        before = browser.evaluate(VIEW)
        place = middle(browser, GOOD)
        browser.mouse("mouseWheel", **place, deltaX=0, deltaY=-400)
        after = browser.evaluate(VIEW)
        assert after[2] < before[2] * 0.7
        assert middle(browser, GOOD) == pytest.approx(place, abs=2)
        browser.mouse("mouseWheel", **place, deltaX=0, deltaY=400)
        assert browser.evaluate(VIEW) == pytest.approx(before, abs=0.01)

    def test_a_drag_moves(self, browser: Browser, page: str) -> None:
        """What is dragged follows the pointer, and stays where it is let go."""
        browser.open(page)
        place = middle(browser, GOOD)
        browser.mouse("mousePressed", **place, button="left", clickCount=1)
        browser.mouse("mouseMoved", place["x"] + 60, place["y"] + 25, button="left", buttons=1)
        browser.mouse("mouseReleased", place["x"] + 60, place["y"] + 25, button="left", clickCount=1)
        browser.mouse("mouseMoved", place["x"] - 90, place["y"])
        moved = middle(browser, GOOD)
        assert moved == pytest.approx({"x": place["x"] + 60, "y": place["y"] + 25}, abs=1.5)

    def test_two_fingers_pinch(self, browser: Browser, page: str) -> None:
        """Two fingers that part zoom in."""
        browser.open(page)
        before = browser.evaluate(VIEW)
        browser.touch("touchStart", (500, 400), (600, 400))
        browser.touch("touchMove", (450, 400), (600, 400))
        browser.touch("touchMove", (450, 400), (650, 400))
        browser.touch("touchEnd")
        assert browser.evaluate(VIEW)[2] == pytest.approx(before[2] / 2, rel=0.05)

    def test_buttons_and_keys(self, browser: Browser, page: str) -> None:
        """The buttons and the keys zoom, move and show all again; no zoom goes on for ever."""
        browser.open(page)
        full = browser.evaluate(VIEW)
        for button, sign in (("in", -1), ("out", 1)):
            click(browser, **middle(browser, f"document.querySelector('button[value={button}]')"))
            assert (browser.evaluate(VIEW)[2] - full[2]) * sign > 0
            click(browser, **middle(browser, "document.querySelector('button[value=fit]')"))
            assert browser.evaluate(VIEW) == pytest.approx(full, abs=0.01)
        for key, place, sign in (
            ("ArrowLeft", 0, -1),
            ("ArrowRight", 0, 1),
            ("ArrowUp", 1, -1),
            ("ArrowDown", 1, 1),
        ):
            browser.press(key)
            assert (browser.evaluate(VIEW)[place] - full[place]) * sign > 0
            browser.press("0")
            assert browser.evaluate(VIEW) == pytest.approx(full, abs=0.01)
        for _ in range(30):
            browser.press("+")
        assert browser.evaluate(VIEW)[2] == pytest.approx(full[2] / 20)
        for _ in range(40):
            browser.press("-")
        assert browser.evaluate(VIEW)[2] == pytest.approx(full[2] * 4)


class TestTooltips:
    def test_come_where_the_mouse_points(self, browser: Browser, page: str) -> None:
        """A guard's docstring is shown while its label is pointed at, inside the window, and no longer."""
        browser.open(page, width=700, height=400)
        browser.mouse("mouseMoved", **middle(browser, GOOD))
        assert browser.evaluate(TIP) == "The last line is the word good."
        inside = "(box => box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight && box.top >= 0)"
        assert browser.evaluate(f"{inside}(document.getElementById('tip').getBoundingClientRect())")
        browser.mouse("mouseMoved", 5, 390)
        assert browser.evaluate(TIP) == ""

    def test_come_to_the_keyboard_too(self, browser: Browser, page: str) -> None:
        """Tab goes from node to node and tells of each; Escape takes the tooltip away."""
        browser.open(page)
        told: Any = []
        for _ in range(6):
            browser.press("Tab", windowsVirtualKeyCode=9)
            told.append(browser.evaluate(TIP))
        assert told[:3] == ["", "", ""]  # the three buttons
        assert told[3] == "agent: Forgets all lines where the context overflows."
        assert browser.evaluate("document.activeElement.getAttribute('aria-label')") != ""
        browser.press("Escape")
        assert browser.evaluate(TIP) == ""
