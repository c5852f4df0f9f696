"""Alerts: rules about the latest calls, checked by whoever runs `flywheel-log alert` from time to time."""

from __future__ import annotations

from .check import Outcome, check, earliest
from .rule import Rule, parse

__all__ = ["Outcome", "Rule", "check", "earliest", "parse"]
