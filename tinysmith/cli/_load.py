"""The one loader: names on the command line become strategies, factories and their modules."""

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tinysmith._shown import near
from tinysmith.errors import TinysmithError, UsageError
from tinysmith.strategy import Strategy


def load_strategy(reference: str) -> type[Strategy[Any]]:
    """The strategy class that `package.module:Class` or `path.py:Class` names.

    Raises:
        UsageError: There is no such module, class or strategy; the message offers near names.
        DefinitionError: The class is no sound machine.
    """
    found = _load(reference, "strategy", lambda value: isinstance(value, type) and issubclass(value, Strategy))
    if not (isinstance(found, type) and issubclass(found, Strategy) and found is not Strategy):
        raise UsageError(f"{reference} is no strategy. Name a class that derives from Strategy[...].")
    return found


def load_strategies(reference: str) -> tuple[type[Strategy[Any]], ...]:
    """The strategy that `module:Class` names, or all those that a module or a file defines.

    A file without a class that derives from another is not run, since no strategy can be defined there.

    Raises:
        UsageError: There is no such module, class or strategy.
        DefinitionError: A class is no sound machine.
    """
    if ":" in reference and not reference.endswith(".py"):
        return (load_strategy(reference),)
    if reference.endswith(".py") and not _may_define(Path(reference)):
        return ()
    module = _module(reference, "strategy")
    found = [value for value in vars(module).values() if isinstance(value, type) and "__plan__" in vars(value)]
    return tuple(dict.fromkeys(each for each in found if f"{each.__module__}.".startswith(f"{module.__name__}.")))


def _may_define(path: Path) -> bool:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True  # loading it says what is wrong
    return any(isinstance(node, ast.ClassDef) and node.bases for node in ast.walk(tree))


def load_factory(reference: str) -> Callable[..., Any]:
    """What `package.module:name` or `path.py:name` names, to be called.

    Raises:
        UsageError: There is no such module or name, or it cannot be called.
    """
    found = _load(reference, "environment", callable)
    if not callable(found):
        raise UsageError(f"{reference} cannot be called. Name a class or a function that makes an environment.")
    factory: Callable[..., Any] = found
    return factory


def _load(reference: str, what: str, is_candidate: Callable[[Any], bool]) -> Any:
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not name:
        example = "machines:TryAgain or path/to/file.py:MyStrategy"
        raise UsageError(f"{reference!r} names no {what}. Write module:Name, such as {example}.")
    module = _module(place, what)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if not key.startswith("_") and is_candidate(value)]
        raise UsageError(f"{place} has no {what} {name!r}. {near(name, known)}")
    return getattr(module, name)


def _module(place: str, what: str) -> ModuleType:
    is_file = place.endswith(".py")
    if not is_file and not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(f"{place!r} is neither a module nor a file that ends with .py. Check the spelling.")
    try:
        if is_file:
            return _from_file(Path(place))
        with _last_on_path(Path.cwd()):
            return importlib.import_module(place)
    except TinysmithError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or place
        if place == missing or place.startswith(f"{missing}."):
            raise UsageError(f"There is no module {place!r} for the {what}. Check the spelling.") from None
        raise UsageError(f"{place} needs the module {missing!r}, which is not installed.") from None
    except (Exception, SystemExit) as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(place)
        ]
        where = f"{place}:{lines[-1]}" if lines else place
        raise UsageError(f"{where} cannot be loaded: {type(error).__name__}: {error}.") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"There is no file {path}. Check the path.")
    name = f"{path.stem}_{abs(hash(path.resolve())):x}"
    if name in sys.modules:
        return sys.modules[name]  # a strategy and its environment from one file are of one module
    spec: Any = importlib.util.spec_from_file_location(name, path)  # for .py there is always one
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # attrs and type hints look classes up there
    try:
        with _last_on_path(path.resolve().parent, Path.cwd()):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _last_on_path(*folders: Path) -> Iterator[None]:
    """Lets the user's modules be found, but never before installed ones, and only for this load."""
    before = list(sys.path)
    sys.path += map(str, folders)
    try:
        yield
    finally:
        sys.path[:] = before
