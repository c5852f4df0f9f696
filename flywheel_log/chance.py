"""Random numbers of our own: a program that seeds Python's gets the same ones in every run, and must go on to do so."""

from __future__ import annotations

import os
import random

chance = random.Random()
"""Made anew in a forked child; not for what has to be secret."""
os.register_at_fork(after_in_child=chance.seed)
