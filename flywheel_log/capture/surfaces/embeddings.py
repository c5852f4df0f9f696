"""POST /embeddings."""

from __future__ import annotations

from ...event import Kind
from .chat_completions import tokens
from .unstreamed import FIRST_TEXT, SAYS, SUMS_UP, TEXT, assemble, finished, marks

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "SAYS", "SUMS_UP", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "embeddings"
PATH = "/embeddings"
KIND: Kind = "embedding"
