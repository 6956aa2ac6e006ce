"""A scene as one page of HTML that needs nothing else: no network, no server."""

import base64
import hashlib
from html import escape
from importlib.resources import files

from attrs import evolve

from tinysmith._shown import one_line
from tinysmith.drawing._scene import Scene
from tinysmith.drawing._svg import svg_of

_WIDTH = 200
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{caption}</p>
<nav aria-label="View">
<button value="out" title="Zoom out (-)" aria-label="Zoom out">−</button>
<button value="fit" title="Show all (0)">Fit</button>
<button value="in" title="Zoom in (+)" aria-label="Zoom in">+</button>
</nav>
</header>
<main>
{picture}</main>
<div id="tip" role="tooltip" hidden></div>
<script>{script}</script>
</body>
</html>
"""  # noqa: RUF001  # the minus sign, which is as wide as the plus


def html_of(scene: Scene) -> str:
    """The scene as a page with pan, zoom and tooltips, light or dark as the reader's system is.

    The page's policy allows no request, and no script but the page's own.
    """
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    return _PAGE.format(
        policy=policy,
        title=escape(one_line(scene.title, _WIDTH)),
        caption=escape(one_line(scene.caption, _WIDTH)),
        style=_part("page.css"),
        script=script,
        picture=svg_of(evolve(scene, title="", caption="")),  # the page's own head says these
    )


def _part(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")
