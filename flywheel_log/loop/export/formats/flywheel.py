"""`flywheel`: documents with the five keys of NVIDIA's Data Flywheel blueprint, ready to be loaded into its index."""

from __future__ import annotations

from functools import partial

from flywheel_log.event import JSON, to_document

from ..example import Example, without_nulls
from . import Format
from ._lines import lines


def _document(one: Example) -> JSON:
    event = one.event
    document = to_document(event)
    request = {**without_nulls(document["request"]), "messages": [{"content": None, **each} for each in one.messages]}
    response = {key: value for key, value in document["response"].items() if key != "flywheel_log"}
    choice = {**(response.get("choices") or [{"index": 0, "finish_reason": "stop"}])[0], "message": one.answer}
    return {
        "request": request,
        "response": without_nulls({**response, "choices": [choice]}),
        "timestamp": one.timestamp,
        "client_id": event.get("client_id") or "default",
        "workload_id": event.get("workload_id") or "default",
    }


FORMAT = Format(lines(partial(map, _document)))
