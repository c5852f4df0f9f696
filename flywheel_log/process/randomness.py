"""A random number generator of our own, so that a program that seeds Python's gets the numbers it expects."""

from __future__ import annotations

import os
import random

rng = random.Random()
"""Seeded anew in a forked child; not for secrets."""
os.register_at_fork(after_in_child=rng.seed)
