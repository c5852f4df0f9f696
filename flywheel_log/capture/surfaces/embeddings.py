"""POST /embeddings."""

from __future__ import annotations

import re

from ...event import Kind
from .chat_completions import tokens
from .unstreamed import assemble, finished, marks

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "embeddings"
PATH = "/embeddings"
KIND: Kind = "embedding"
TEXT = re.compile(rb'"embedding"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"embedding"')
SUMS_UP = None
SAYS = frozenset[str]()
