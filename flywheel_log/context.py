"""Who calls, and for what: fields that are stamped on every call made inside a `with context(...)` block."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar, cast

import wrapt

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

KEYS = ("workload_id", "user_id", "session_id", "tags", "metadata", "client_id")
