"""Pictures of strategies, drawn from the same declaration that runs."""

from tinysmith.drawing._formats import FORMATS, as_text, draw, mermaid, mimebundle, outline, render
from tinysmith.drawing._scene import Arrow, Box, Mark, Scene, scene_of

__all__ = [
    "FORMATS",
    "Arrow",
    "Box",
    "Mark",
    "Scene",
    "as_text",
    "draw",
    "mermaid",
    "mimebundle",
    "outline",
    "render",
    "scene_of",
]
