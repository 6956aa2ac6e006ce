"""The door of tinysmith's pytest plugin: its options, and nothing more until one of them is given.

pytest imports what an entry point names whenever it starts, and with a module the package that holds it. Inside
`tinysmith` this one would bring the whole framework into every test run on the machine; so it stands beside it.
"""

import argparse
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options, each also as a setting of the configuration file."""
    group = parser.getgroup("strategy coverage", "which nodes, edges and guard outcomes of strategies were seen")
    group.addoption(
        "--strategy-coverage", action="store_true", help="collect and print the coverage of strategies"
    )
    group.addoption(
        "--strategy-coverage-fail-under",
        type=_percent,
        metavar="PERCENT",
        help="collect, and fail if the coverage of any strategy is under this",
    )
    group.addoption(
        "--strategy-coverage-include",
        action="append",
        metavar="PATTERN",
        help="collect of strategies whose module:Class fits, such as 'machines*:*'; may be given several times "
        "(default: all that are played)",
    )
    group.addoption(
        "--strategy-coverage-pictures",
        metavar="DIR",
        help="collect, and write a picture of every strategy there, with what was seen painted on it",
    )
    parser.addini("strategy_coverage", "as --strategy-coverage", type="bool", default=False)
    parser.addini("strategy_coverage_fail_under", "as --strategy-coverage-fail-under", default="")
    parser.addini("strategy_coverage_include", "as --strategy-coverage-include", type="linelist", default=[])
    parser.addini("strategy_coverage_pictures", "as --strategy-coverage-pictures", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Loads the plugin itself, if it is asked for."""
    fail_under = config.getoption("strategy_coverage_fail_under")
    if fail_under is None and config.getini("strategy_coverage_fail_under"):
        try:
            fail_under = _percent(config.getini("strategy_coverage_fail_under"))
        except argparse.ArgumentTypeError as error:
            raise pytest.UsageError(f"strategy_coverage_fail_under: {error}") from None
    pictures = config.getoption("strategy_coverage_pictures")
    if pictures is None and config.getini("strategy_coverage_pictures"):
        pictures = config.rootpath / config.getini("strategy_coverage_pictures")
    include = config.getoption("strategy_coverage_include")
    is_wanted = config.getoption("strategy_coverage") or config.getini("strategy_coverage") or include
    if is_wanted or fail_under is not None or pictures is not None:
        from tinysmith.pytest_plugin import StrategyCoverage  # noqa: PLC0415  # the framework, only where it is used

        collector = StrategyCoverage(
            config,
            fail_under=fail_under,
            include=include or config.getini("strategy_coverage_include"),
            pictures=None if pictures is None else Path(pictures),
        )
        config.pluginmanager.register(collector, "tinysmith-strategy-coverage")


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage. Give a number from 0 to 100.")
    return number
