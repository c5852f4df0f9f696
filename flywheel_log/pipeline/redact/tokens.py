"""Secrets that are known by their shape: the keys and tokens of services, JWTs, private keys."""

from __future__ import annotations

import re
from collections.abc import Callable

from .pattern import LONGEST, Family, Finder, Pattern, behind, whole

_SHORTEST_RUN = 16
_LONGEST_WORD = 20
_W = "A-Za-z0-9_-"
_GITHUB = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_")
_GITLAB = tuple(
    f"gl{one}-" for one in ("pat", "ptt", "dt", "rt", "rtr", "cbt", "ft", "soat", "agent", "oas", "imt", "ffct")
)
_SLACK = (*(f"xox{one}-" for one in "abceoprs"), "xapp-")
_STRIPE = ("sk_live_", "sk_test_", "sk_org_", "rk_live_", "rk_test_", "whsec_")
_HUGGINGFACE = ("hf_", "api_org_")
_DIGITALOCEAN = ("dop_v1_", "doo_v1_", "dor_v1_")
# Of keys of 32 characters or more: Groq, NVIDIA, Perplexity, xAI, PyPI, Cerebras, Together, LangSmith …
_SERVICES = (
    *("gsk_", "nvapi-", "pplx-", "xai-", "pypi-", "csk-", "tgp_v1_", "lsv2_pt_", "lsv2_sk_", "r8_", "pa-", "jina_"),
    *("e2b_", "tvly-", "pcsk_", "wandb_v1_", "bedrock-api-key-", "ABSK", "ntn_", "lin_api_", "glsa_", "glc_"),
    *("essu_", "sess-", "sntrys_", "sntryu_", "rubygems_", "sbp_", "figd_", "PMAK-", "pscale_tkn_", "ATATT3"),
    *("shpat_", "shpss_", "dp.pt.", "hvs.", "hvb.", "ya29.", "1//0", "secret_", "cfut_", "atlasv1."),
)
# And of 20 or more.
_VAULTS = ("GOCSPX-", "NRAK-", "dckr_pat_", "sb_secret_", "fw_", "sq0atp-", "sq0csp-")
_BODY = re.compile("[A-Za-z0-9+/]{20}")


def _token(kind: str, body: str, *heads: str, measure: Callable[[str], int] = whole, longest: int = LONGEST) -> Pattern:
    begins = "|".join(behind(re.escape(head)) for head in heads)
    return Pattern(
        kind,
        re.compile(f"(?:{begins}){body}"),
        heads,
        lambda candidate: measure(candidate) if len(candidate) <= longest else 0,
    )


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


_TOKENS = (
    _token("anthropic_key", r"[A-Za-z0-9_-]{16,}", "sk-ant-"),
    _token("api_key", r"[a-f0-9-]{36}", "sk-lf-"),
    _token("openai_key", r"[A-Za-z0-9_-]{16,}", "sk-", measure=_random),
    _token("aws_access_key", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA", "ASIA"),
    _token("github_token", r"[A-Za-z0-9_]{22,}", *_GITHUB),
    _token("gitlab_token", r"[A-Za-z0-9_-]{20,}(?:\.[a-z0-9]{2,}){0,2}", *_GITLAB),
    _token("slack_token", r"[A-Za-z0-9-]{10,}", *_SLACK, measure=_digits),
    _token("google_key", r"[A-Za-z0-9_-]{35,}", "AIza"),
    _token("stripe_key", r"[A-Za-z0-9]{16,}", *_STRIPE),
    _token("huggingface_token", r"[A-Za-z0-9]{30,}", *_HUGGINGFACE),
    _token("npm_token", r"[A-Za-z0-9]{36,}", "npm_"),
    _token("sendgrid_key", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", "SG."),
    _token("digitalocean_token", r"[a-f0-9]{40,}", *_DIGITALOCEAN),
    _token("api_key", r"[A-Za-z0-9_-]{32,}", *_SERVICES, measure=_random),
    _token("api_key", r"[A-Za-z0-9_-]{20,}", *_VAULTS, measure=_random),
    _token("api_key", r"[a-f0-9]{32}(?![A-Za-z0-9])", "dapi", "SK", "key-"),
    _token("api_key", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}", "pat"),
    Pattern("azure_secret", re.compile(r"[\w~.-]{3}\dQ~(?<![\w~.-].{6})[\w~.-]{31,34}(?![\w~-])", re.ASCII), ("Q~",)),
    Pattern("telegram_token", re.compile(r"\d(?<![\d.-].)\d{7,9}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"), (":AA",)),
    Pattern("discord_token", re.compile(rf"[MNO](?<![{_W}].)[{_W}]{{23,27}}\.[{_W}]{{6}}\.[{_W}]{{27,}}"), (".",)),
    Pattern(
        "webhook",
        re.compile(rf"(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks)/([/{_W}]{{24,}})"),
        ("hooks.slack.com/", "/api/webhooks/"),
    ),
    _token("jwt", r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}", "eyJ", longest=32 * LONGEST),
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
    Pattern(
        "private_key",
        re.compile(r"Private-Lines: \d+\s+([A-Za-z0-9+/=\s]{40,}?)(?=\s+Private-MAC|$)"),
        ("Private-Lines",),
    ),
    _token("private_key", "[A-Z0-9]{58}", "AGE-SECRET-KEY-1"),
)

# The same in a line of JSON, for the engine of `anchors`. A letter before `sk-` may belong to an escape.
ANCHORS = (
    r"(?:^|[^A-Za-z0-9]|\\[nrtbf]|\\u[0-9A-Fa-f]{4})sk-[A-Za-z0-9_-]{16}",
    r"-----BEGIN ",
    rf"(?:{'|'.join(_SLACK)})[A-Za-z0-9-]{{10}}",
    rf"(?:{'|'.join(_GITLAB)})[A-Za-z0-9_-]{{20}}",
    rf"(?:{'|'.join((*_GITHUB, *_STRIPE, *_HUGGINGFACE, 'npm_'))})[A-Za-z0-9_-]{{16}}",
    rf"(?:{'|'.join(map(re.escape, (*_SERVICES, *_VAULTS)))})[A-Za-z0-9_-]{{20}}",
    r"1(?:\\+/){2}0[A-Za-z0-9_-]{20}",  # Google's `1//0`, its slashes escaped as some write them.
    r"\dQ~[A-Za-z0-9_~.-]{31}",
    r":AA[A-Za-z0-9_-]{33}",
    r"hooks\.slack\.com|api\\*/webhooks",
    r"Private-Lines|AGE-SECRET-KEY-1",
    r"AIza[A-Za-z0-9_-]{35}",
    rf"(?:{'|'.join(_DIGITALOCEAN)})[a-f0-9]{{40}}",
    r"eyJ[A-Za-z0-9_-]{10,}\.",
)
WORDS = (
    *("sk-", "-----begin ", *_SLACK, *_GITLAB, *_GITHUB, *_STRIPE, *_HUGGINGFACE, "npm_", *_DIGITALOCEAN),
    *(head.lower() for head in (*_SERVICES, *_VAULTS)),
    *(r"\/0", "q~", ":aa", "hooks.slack.com", "/webhooks", "private-lines", "age-secret-key-1", "aiza", "eyj"),
)
HEADS = (
    r"A(?:KIA|SIA)[A-Z0-9]{16}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16}",
    r"(?:dapi|SK|key-)[a-f0-9]{32}|pat[A-Za-z0-9]{14}\.[a-f0-9]{64}",
)
"""The same for what has none of the words, for each that is long enough in lower case is in words of everyday."""
DOTS = (r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}",)  # Its beginning would be counted from every other character.
"""The same, but for a pass of its own: it counts from each dot on."""

TOKENS: tuple[Finder, ...] = (Family(_TOKENS, ANCHORS, HEADS, DOTS),)
