"""Whether a line of JSON may hold a secret at all: one pass over it by an engine that is linear, sound and cheap.

The engine is the one that pydantic checks strings with (Rust's `regex`): it looks for many things at once at a tenth of
what `re` takes, and is installed wherever the SDKs are. It knows no lookbehind, so each family of secrets says in
`ANCHORS` what it cannot do without, which may be more than its finders take.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic_core import SchemaValidator, core_schema

from . import assignments, loose, tokens

_SPELLED_OUT = r"\\u00[2-7]"  # A printable character as an escape: any secret may hide behind it.


def _any_of(anchors: Iterable[str]) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern="|".join(anchors)))


_matches = _any_of((*tokens.ANCHORS, *assignments.ANCHORS, *loose.ANCHORS, _SPELLED_OUT)).isinstance_python


def suspicious(line: bytes) -> bool:
    """Tell whether some pattern for secrets may match somewhere in *line*; False is certain."""
    try:
        return _matches(line.decode())
    except UnicodeDecodeError:
        return True
