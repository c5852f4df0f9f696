"""Secrets that are known by their shape: the keys and tokens of services, JWTs, private keys."""

from __future__ import annotations

import re
from collections.abc import Callable

from .pattern import Pattern, behind, whole

_SHORTEST_RUN = 16
_LONGEST_WORD = 20
_BODY = re.compile("[A-Za-z0-9+/]{20}")


def _token(kind: str, body: str, *heads: str, measure: Callable[[str], int] = whole) -> Pattern:
    return Pattern(kind, re.compile(f"(?:{'|'.join(map(behind, heads))}){body}"), heads, measure)


def _random(candidate: str) -> int:
    """Tell a key from a name with hyphens (`sk-spinner-three-bounce`) by its digits and capitals, or by a long run."""
    digits = sum(char.isdigit() for char in candidate)
    capitals = any(char.isupper() for char in candidate)
    run = max(map(len, re.split("[-_]", candidate)))
    return len(candidate) if run >= _LONGEST_WORD or (digits > 1 and (capitals or run >= _SHORTEST_RUN)) else 0


def _digits(candidate: str) -> int:
    return len(candidate) if sum(char.isdigit() for char in candidate) > 1 else 0


def _with_body(candidate: str) -> int:
    return len(candidate) if _BODY.search(candidate) else 0


TOKENS = (
    _token("anthropic_key", r"[A-Za-z0-9_-]{16,}", "sk-ant-"),
    _token("openai_key", r"[A-Za-z0-9_-]{16,}", "sk-", measure=_random),
    _token("aws_access_key", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA", "ASIA"),
    _token("github_token", r"[A-Za-z0-9_]{22,}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    _token("gitlab_token", r"[A-Za-z0-9_-]{20,}", "glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glft-", "glsoat-"),
    _token("slack_token", r"[A-Za-z0-9-]{10,}", *(f"xox{one}-" for one in "abceoprs"), "xapp-", measure=_digits),
    _token("google_key", r"[A-Za-z0-9_-]{35,}", "AIza"),
    _token("stripe_key", r"[A-Za-z0-9]{16,}", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"),
    _token("huggingface_token", r"[A-Za-z0-9]{30,}", "hf_"),
    _token("npm_token", r"[A-Za-z0-9]{36,}", "npm_"),
    _token("sendgrid_key", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", "SG."),
    _token("digitalocean_token", r"[a-f0-9]{40,}", "dop_v1_", "doo_v1_", "dor_v1_"),
    _token("api_key", r"[A-Za-z0-9_-]{32,}", "gsk_", "nvapi-", "pplx-", "xai-", "pypi-"),
    _token("jwt", r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}", "eyJ"),
    Pattern(
        "private_key",
        # A body that was cut off ends where its characters end; `\\[nr]` are line ends inside JSON inside a string.
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?!-----END)[A-Za-z0-9+/=\s:,.-]|\\[nr])*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
        ("PRIVATE KEY",),
        _with_body,
    ),
)

# The same in a line of JSON, for the engine of `anchors`. A letter before `sk-` may belong to an escape.
ANCHORS = (
    r"(?:^|[^A-Za-z0-9]|\\[nrtbf]|\\u[0-9A-Fa-f]{4})sk-[A-Za-z0-9_-]{16}",
    r"-----BEGIN ",
    r"(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10}",
    r"(?:gl(?:pat|ptt|dt|rt|cbt|ft|soat)|nvapi|pplx|xai|pypi)-[A-Za-z0-9_-]{20}",
    r"(?:gh[pousr]|github_pat|[sr]k_live|[sr]k_test|whsec|hf|npm|gsk)_[A-Za-z0-9_-]{16}",
    r"A(?:KIA|SIA)[A-Z0-9]{16}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16}",
    r"do[opr]_v1_[a-f0-9]{40}",
    r"eyJ[A-Za-z0-9_-]{10,}\.",
)
