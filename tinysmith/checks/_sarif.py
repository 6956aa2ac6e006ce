"""Findings as SARIF, for code-scanning services.

Charter: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS Standard, 2020. What is written
here is what that standard asks for, and what services need to show a finding at its line.
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tinysmith.checks._codes import RULES, Rule
from tinysmith.checks._places import Place
from tinysmith.errors import Finding, Level

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "information": "note"}


def sarif(found: Sequence[tuple[Finding, Place | None, str]]) -> dict[str, Any]:
    """A log of one run, from findings, their places, and the reasons with which they are allowed."""
    codes = sorted({finding.code for finding, _, _ in found})
    driver = {
        "name": "tinysmith",
        "semanticVersion": version("tinysmith-fsm"),
        "rules": [_rule(code, RULES[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(*each, codes) for each in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, rule: Rule) -> dict[str, Any]:
    return {
        "id": code,
        "name": "".join(part.capitalize() for part in code.split("-")),
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": f"{rule.name}. {rule.help}"},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
    }


def _result(finding: Finding, place: Place | None, reason: str, codes: Sequence[str]) -> dict[str, Any]:
    example = f"\n\n{finding.example}" if finding.example else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.level],
        "message": {"text": f"{finding.where}: {finding.problem} {finding.remedy}{example}"},
        "locations": [_location(finding, place)],
        "properties": {"board": finding.board} if finding.board else {},
    }
    return result | ({"suppressions": [{"kind": "inSource", "justification": reason}]} if reason else {})


def _location(finding: Finding, place: Place | None) -> dict[str, Any]:
    located: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": finding.where}]}
    if place is None:
        return located
    path = Path(place.shown)
    artifact = (
        {"uri": path.as_uri()} if path.is_absolute() else {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}
    )
    return located | {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": place.line}}}
