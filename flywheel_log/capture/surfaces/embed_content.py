"""POST …:embedContent and …:batchEmbedContents of Google's Gemini."""

from __future__ import annotations

import re

from ...event import Kind
from .generate_content import tokens
from .unstreamed import assemble, finished, marks

__all__ = ["FIRST_TEXT", "KIND", "NAME", "PATH", "TEXT", "assemble", "finished", "marks", "tokens"]

NAME = "embed_content"
PATH = ":embedContent"
KIND: Kind = "embedding"
TEXT = re.compile(rb'"values"\s*:\s*"')
FIRST_TEXT = re.compile(rb'"values"')
