"""Drop tokens and log probabilities of text that was changed: they would spell out what was removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..event import JSON

_TOKENS = frozenset({"logprobs", "logprobsResult", "logprobs_result", "token_ids"})
# vLLM's, beside the answers or in each of them: https://docs.vllm.ai/en/latest/serving/openai_compatible_server/
_OF_THE_PROMPT = frozenset({"prompt_logprobs", "prompt_token_ids"})


def drop_tokens(clean: JSON, before: JSON) -> JSON:
    """Return *clean*, made of *before*, without log probabilities if anything beside them was changed."""
    if _TOKENS.isdisjoint(before):
        return clean
    told = [key for key in _TOKENS & before.keys() if before[key]]
    changed = told and {**clean, **dict.fromkeys(_TOKENS)} != {**before, **dict.fromkeys(_TOKENS)}
    return {**clean, **dict.fromkeys(told)} if changed else clean


def drop_prompt_tokens(clean: JSON, before: Mapping[str, Any]) -> JSON:
    """Return the event *clean*, made of *before*, with no prompt in tokens in its answer if its request was changed."""
    response = clean.get("response")
    if not isinstance(response, dict) or clean.get("request") == before.get("request"):
        return clean
    response = _without_prompt(response)
    if isinstance(choices := response.get("choices"), list):
        response["choices"] = [_without_prompt(one) if isinstance(one, dict) else one for one in choices]
    return {**clean, "response": response}


def _without_prompt(fields: JSON) -> JSON:
    return {key: None if key in _OF_THE_PROMPT else value for key, value in fields.items()}
