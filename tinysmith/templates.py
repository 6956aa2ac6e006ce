"""Prompts as Jinja templates beside the strategy that uses them. The one file that imports Jinja.

Charter: a template is the developer's; all else (model text, environment text) comes in as a value and is never
read as a template. Rendering is pure: the files are read once, and after that nothing but the values; it runs in
Jinja's sandbox, and changes nothing.
"""

import re
import sys
import traceback
from functools import cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from attrs import frozen

from tinysmith._shown import one_line
from tinysmith.errors import TemplateError, UsageError

GLOBALS = frozenset({"namespace", "range"})
"""What a template may use without being given it; a value of that name comes first."""


@frozen
class _File:
    """A template's file, read.

    Attributes:
        text: What is in it.
        refers: The files that it includes, imports and extends.
        blind: Those that it imports without its context.
        reads: The names that it reads and does not set.
        sets: The names that it sets.
    """

    text: str
    refers: tuple[str, ...]
    blind: frozenset[str]
    reads: frozenset[str]
    sets: frozenset[str]


class Template:
    """A prompt in Jinja's language, in a file beside the module of the class that holds it.

    As `prompt = Template("planner.jinja")` it is an agent's prompt: the board's fields and properties are its
    names, and a name that the board does not have is found when the strategy's class is created. Nodes that do
    not know their board hold one under another name, and call `render`; of theirs, that the file is there and is
    a template is found then, and a missing value when it is rendered.

    It is held in a class's body, which is how it knows its folder; a subclass elsewhere inherits it with that
    folder. Files are named from that folder on, with `/`, also in `include`, `import` and `extends`, where no name
    may be computed. Nothing outside of the folder can be named: a folder that is copied is copied whole. In a
    module that has no file, as in an interactive session, it is the working directory; modules in zip archives are
    not supported.

    A line that holds only a block leaves no empty line, and white space at both ends of the text is taken off.

    Args:
        path: The file, such as "prompts/planner.jinja".
        source: The template itself, instead of a file.
        values: More names, each with its value; they come before the board's.

    Raises:
        UsageError: Both or neither of path and source are given, or the path leads elsewhere.
    """

    def __init__(self, path: str = "", /, *, source: str | None = None, **values: Any) -> None:
        if bool(path) is (source is not None):
            raise UsageError('A Template is Template("file.jinja") or Template(source="…").')
        if path and not _is_inside(path):
            problem = f"Template({path!r}) leads out of its module's folder."
            raise UsageError(f"{problem} Put the file there, and name it from there on, with `/`.")
        self.path = path
        self.values = values
        self._source = source
        self._folder: Path | None = None

    def __set_name__(self, owner: type[Any], name: str) -> None:
        if self._folder is None:  # a second class, in another folder, may hold the same template
            file = getattr(sys.modules.get(owner.__module__), "__file__", None)
            self._folder = Path(file).absolute().parent if file else Path.cwd()

    def __repr__(self) -> str:
        return f"Template({self.path!r})" if self.path else f"Template(source={one_line(self._source or '')!r})"

    def __call__(self, board: Any, /) -> str:
        """The prompt for a board.

        Raises:
            TemplateError: A value that the template reads is not there.
        """
        held = getattr(board, "__dict__", {})
        known = [name for name in self.names if name in held or hasattr(type(board), name)]
        return self.render(**{name: getattr(board, name) for name in known})

    def render(self, /, **values: Any) -> str:
        """The text, with these values for the template's names.

        Raises:
            TemplateError: A value that the template reads is not there, or one of its expressions raised.
        """
        compiled = self._compiled
        try:
            text: str = compiled.render({**self.values, **values})
        except Exception as error:  # whatever an expression of the template raised
            problem = f"{self._line(error)}: {type(error).__name__}: {one_line(str(error)).rstrip('.')}."
            raise TemplateError(f"{problem} Mend the template, or give it what it reads.") from error
        return text.strip()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that the template reads, in the files that it includes too, without its own `values`.

        Raises:
            TemplateError: A file is missing or is no template.
        """
        files = self._files
        blind = {other: name for name, file in files.items() for other in file.blind}
        found: set[str] = set()
        for name, file in files.items():
            lost = file.reads - GLOBALS
            if name in blind and lost:
                problem = f"{blind[name]}: it imports {name} without the {min(lost)!r} that this reads."
                raise TemplateError(f"{problem} Write `with context`, or give its macro an argument.")
            # Which file comes before which is not looked at: what any other one sets may be meant.
            found |= file.reads.difference(*(other.sets for other in files.values() if other is not file))
        return frozenset(found - self.values.keys())

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """The template and the files that it refers to, each with its text.

        Raises:
            TemplateError: A file is missing or is no template.
        """
        return tuple((name, file.text) for name, file in self._files.items())

    def place_of(self, name: str) -> str:
        """The file and line where one of `names` is read first."""
        file = next(file for file, studied in self._files.items() if name in studied.reads)
        lines = self._files[file].text.splitlines()
        numbers = [number for number, line in enumerate(lines, start=1) if re.search(rf"\b{name}\b", line)]
        return f"{file}, line {numbers[0]}"

    @property
    def _name(self) -> str:
        return self.path or "a template"

    @cached_property
    def _compiled(self) -> Any:
        """The template, compiled, in an environment of its own that holds all the files it needs."""
        files = self._files

        def load(name: str) -> tuple[str, str, None]:
            return files[name].text, name, None  # by its name, a line of a traceback is known as the template's

        jinja = _jinja()
        jinja.loader = import_module("jinja2").FunctionLoader(load)
        return jinja.get_template(self._name)

    @cached_property
    def _files(self) -> dict[str, _File]:
        """The template and what it refers to, by name."""
        files: dict[str, _File] = {}
        referring = {self._name: ""}
        names = [self._name]
        for name in names:
            files[name] = _studied(name, self._read(name, referring[name]))
            others = [other for other in files[name].refers if other not in referring]
            referring |= dict.fromkeys(others, name)
            names += others
        return files

    def _read(self, name: str, referring: str) -> str:
        if self._source is not None and name == self._name:
            return self._source
        if self._folder is None:
            problem = f"{name}: its folder is not known, since no class holds the template."
            raise TemplateError(f"{problem} Make it an attribute in a class's body.")
        if not _is_inside(name):
            raise TemplateError(f"{referring}: it includes {name!r}, which leads out of its folder.")
        path = self._folder / name
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise TemplateError(f"{path}: the template is no UTF-8 text. Save it as UTF-8.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            which = f"the template that {referring} refers to" if referring else "the template"
            remedy = f"Check its name, which counts from {self._folder} on."
            raise TemplateError(f"{path}: {which} cannot be read: {reason}. {remedy}") from None

    def _line(self, error: Exception) -> str:
        """The file and line of the template at which an error came up."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if frame.filename in self._files]
        return [self._name, *(f"{frame.filename}, line {frame.lineno}" for frame in ours)][-1]


def _jinja() -> Any:
    """Jinja, imported when the first template is read, since few programs need it."""
    jinja = import_module("jinja2")
    environment = import_module("jinja2.sandbox").ImmutableSandboxedEnvironment(
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # prompts are no HTML
        auto_reload=False,
    )
    for name in environment.globals.keys() - GLOBALS:
        del environment.globals[name]  # else a board's field of that name would not be looked for
    return environment


def _is_inside(path: str) -> bool:
    """Whether a path, written with `/`, stays in the folder that it starts from."""
    parts = PurePosixPath(path).parts
    return not (PureWindowsPath(path).drive or "\\" in path or path.startswith("/") or ".." in parts)


def _studied(name: str, text: str) -> _File:
    """What a file says of itself.

    Raises:
        TemplateError: It is no template, or computes the name of a file.
    """
    jinja, meta, nodes = _jinja(), import_module("jinja2.meta"), import_module("jinja2.nodes")
    jinja.globals.clear()  # so that they count as names
    try:
        tree = jinja.parse(text)
        reads = frozenset(meta.find_undeclared_variables(tree))  # finds filters that there are not, too
    except import_module("jinja2").TemplateSyntaxError as error:
        reason = (error.message or "").rstrip(".")
        raise TemplateError(f"{name}, line {error.lineno}: it is no Jinja template: {reason}.") from None
    refers = tuple(dict.fromkeys(meta.find_referenced_templates(tree)))
    if None in refers:
        raise TemplateError(f"{name}: it refers to a file whose name is computed. Write the name out.")
    imports = list(tree.find_all((nodes.Import, nodes.FromImport)))
    sets = {part.name for part in tree.find_all(nodes.Name) if part.ctx != "load"}
    sets |= {part.name for part in tree.find_all(nodes.Macro)}
    sets |= {part.target for part in tree.find_all(nodes.Import)}
    for part in tree.find_all(nodes.FromImport):
        sets |= {target if isinstance(target, str) else target[1] for target in part.names}
    blind = frozenset(getattr(part.template, "value", "") for part in imports if not part.with_context)
    return _File(text, refers, blind, reads, frozenset(sets))
