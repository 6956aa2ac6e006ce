"""Pictures of strategies, drawn from the same declaration that runs."""

from tinysmith.drawing._formats import FORMATS, draw, mermaid, outline, render
from tinysmith.drawing._scene import Arrow, Box, Mark, Scene, scene_of

__all__ = ["FORMATS", "Arrow", "Box", "Mark", "Scene", "draw", "mermaid", "outline", "render", "scene_of"]
