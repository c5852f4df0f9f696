# How do I change or drop records before anything is written?
import re

import structlog
from openai import OpenAI

import flywheel_log
from flywheel_log import Event

ORDER = re.compile(r"\bORDER-\d+\b")


def mask_orders(_: object, __: str, event: Event) -> Event:
    """Replace order numbers in what was asked. The caller's own messages stay as they are."""
    for message in event.get("request", {}).get("messages", []):
        if isinstance(message.get("content"), str):
            message["content"] = ORDER.sub("[order]", message["content"])
    return event


def drop_health_checks(_: object, __: str, event: Event) -> Event:
    if event["workload_id"] == "health-check":
        raise structlog.DropEvent
    return event


flywheel_log.configure(processors=[drop_health_checks, mask_orders])
client = flywheel_log.instrument(OpenAI())
question = [{"role": "user", "content": "Where is ORDER-4711?"}]
client.chat.completions.create(model="gpt-4.1-mini", messages=question)
with flywheel_log.context(workload_id="health-check"):
    client.chat.completions.create(model="gpt-4.1-mini", messages=question)

flywheel_log.flush()
*_, event = flywheel_log.read()
print(event["request"]["messages"], question)
