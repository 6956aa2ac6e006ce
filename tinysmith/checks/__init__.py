"""Checks of whole strategies: what a search of their runs, and of boards of their type, finds wrong."""

from tinysmith.checks._check import check, refused
from tinysmith.checks._codes import RULES, Rule
from tinysmith.checks._places import Place
from tinysmith.checks._report import Located, Report

__all__ = ["RULES", "Located", "Place", "Report", "Rule", "check", "refused"]
