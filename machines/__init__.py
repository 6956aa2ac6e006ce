"""The built-in strategies, each one readable file."""

from machines.coinflip_poet import CoinflipPoet
from machines.open_book import OpenBook
from machines.planner_reviewer_executor import PlannerReviewerExecutor
from machines.reflexion import Reflexion
from machines.single_agent import SingleAgent
from machines.try_again import TryAgain

__all__ = ["CoinflipPoet", "OpenBook", "PlannerReviewerExecutor", "Reflexion", "SingleAgent", "TryAgain"]
