"""A real Chromium for the tests, driven over its debugging pipe: real keys, a real mouse, every request seen.

Chromium reads commands from file descriptor 3 and answers on 4, each a JSON text that ends with a NUL; the names
are those of the Chrome DevTools Protocol.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

from attrs import frozen

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_TIMEOUT_S = 60.0


def program() -> str | None:
    """The path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


class Browser:
    """One Chromium with one page.

    Args:
        program: The path of the program.
        profile: An empty folder of its own.

    Attributes:
        shown: The address of the page, and whether it is shown dark.
        events: What the browser told since the page was opened.
    """

    def __init__(self, program: str, profile: Path) -> None:
        command = [program, *_OPTIONS, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._rest = b""
        self._number = 0
        self._session = ""
        self.shown = ("", False)
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        self._call("Browser.close")
        self._process.wait(_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def open(self, url: str, *, dark: bool = False, width: int = 1200, height: int = 900) -> None:
        """Opens a page, and waits until it is loaded."""
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=theme)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        self.shown = (url, dark)
        self.events.clear()
        self._call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._read()

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def mouse(self, what: str, x: float, y: float, **more: Any) -> None:
        """A `mousePressed`, `mouseMoved`, `mouseReleased` or `mouseWheel` at a place of the window."""
        self._call("Input.dispatchMouseEvent", type=what, x=x, y=y, **more)

    def touch(self, what: str, *fingers: tuple[float, float]) -> None:
        """A `touchStart`, `touchMove` or `touchEnd` with fingers at places of the window."""
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
        self._call("Input.dispatchTouchEvent", type=what, touchPoints=points)

    def press(self, key: str, **more: Any) -> None:
        """A key, pressed and let go."""
        for what in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=what, key=key, **more)

    def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot")["data"])

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, its own among them."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    @property
    def complaints(self) -> list[str]:
        """What the browser said of the page: errors, and what the page's policy forbade."""
        said = [event["params"] for event in self.events if event["method"] in _COMPLAINTS]
        return [json.dumps(params) for params in said]

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        """The next message; an event is kept."""
        assert self._process.stdout is not None
        end = time.monotonic() + _TIMEOUT_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert ready, "Chromium does not answer"
            piece = os.read(self._process.stdout.fileno(), 1 << 20)
            assert piece, f"Chromium ended with code {self._process.wait()}"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message


_COMPLAINTS = frozenset({"Log.entryAdded", "Runtime.exceptionThrown"})


@frozen
class Rendered:
    """What Mermaid made of a diagram.

    Attributes:
        error: What it said, where it could make nothing.
        title: The text above it.
        nodes: The text of every node.
        edges: The text of every edge that has one.
        overlaps: Texts of edges that lie over one another, or over a node.
        foreign: Elements that no diagram of ours has: scripts, links, images.
        colours: Of every node the colour of its text and of its inside.
        svg: The picture.
    """

    error: str
    title: str
    nodes: list[str]
    edges: list[str]
    overlaps: list[str]
    foreign: list[str]
    colours: list[list[str]]
    svg: str


OVERLAPS = """
(edges, nodes) => {
    const boxes = (parts) => [...parts].map((part) => ({
        text: part.textContent.trim(), owner: part.parentElement, box: part.getBoundingClientRect(),
    }));
    const meet = (one, other) => one.owner !== other.owner
        && one.box.right > other.box.left + 1 && other.box.right > one.box.left + 1
        && one.box.bottom > other.box.top + 1 && other.box.bottom > one.box.top + 1;
    const labels = boxes(edges).filter((label) => label.text);
    return labels.flatMap((label, place) =>
        [...labels.slice(place + 1), ...boxes(nodes)]
            .filter((other) => meet(label, other))
            .map((other) => `${label.text} / ${other.text}`));
}
"""
"""A function of two lists of elements: the texts of the first that lie over one another, or over the second."""

_RENDER = """
(async () => {
    mermaid.initialize({startOnLoad: false, theme: %(theme)s});
    const shown = (all) => [...all].map((part) => part.innerText.trim()).filter(Boolean);
    const rendered = [];
    for (const [place, source] of %(sources)s.entries()) {
        const made = {error: "", title: "", nodes: [], edges: [], overlaps: [], foreign: [], colours: [], svg: ""};
        try {
            await mermaid.parse(source);
            made.svg = (await mermaid.render(`picture${place}`, source)).svg;
            document.body.innerHTML = made.svg;
            made.title = document.querySelector(".flowchartTitleText")?.textContent ?? "";
            made.nodes = shown(document.querySelectorAll(".node .nodeLabel"));
            made.edges = shown(document.querySelectorAll(".edgeLabel .edgeLabel"));
            made.overlaps = (%(overlaps)s)(
                document.querySelectorAll(".edgeLabel .edgeLabel"), document.querySelectorAll(".node"));
            made.colours = [...document.querySelectorAll(".node .nodeLabel")].map((label) => [
                getComputedStyle(label).color,
                getComputedStyle(label.closest(".node").querySelector("rect, polygon, path, circle")).fill,
            ]);
            const foreign = document.body.querySelectorAll("script, a, img, iframe, [onclick], .clickable");
            made.foreign = [...foreign].map(String);
        } catch (error) {
            made.error = String(error);
        }
        rendered.push(made);
    }
    return rendered;
})()
"""


def mermaid_page(folder: Path, library: Path) -> Path:
    """A page that holds nothing but Mermaid.

    Args:
        folder: Where it is written.
        library: The folder with `dist/mermaid.min.js`.
    """
    script = (library / "dist" / "mermaid.min.js").resolve().as_uri()
    page = folder / "mermaid.html"
    style = "<style>@media (prefers-color-scheme: dark) { body { background: #0d1117 } }</style>"
    page.write_text(f'<!DOCTYPE html><meta charset="utf-8">{style}<script src="{script}"></script><body>', "utf-8")
    return page


def mermaid_in(browser: Browser, page: Path, sources: list[str], *, dark: bool = False) -> list[Rendered]:
    """What the real Mermaid makes of diagrams, one after another in one page, parsed first.

    Args:
        browser: The browser.
        page: One that `mermaid_page` wrote.
        sources: The diagrams.
        dark: Whether Mermaid's dark theme is used.
    """
    if browser.shown != (page.as_uri(), dark):
        browser.open(page.as_uri(), dark=dark)  # Mermaid takes a second to load
    theme = json.dumps("dark" if dark else "default")
    rendered = browser.evaluate(_RENDER % {"theme": theme, "sources": json.dumps(sources), "overlaps": OVERLAPS})
    return [Rendered(**made) for made in rendered]
