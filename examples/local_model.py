# How do I record a model without an SDK: a local one, or plain HTTP?
from collections.abc import Iterator

import flywheel_log


@flywheel_log.logged_llm(workload_id="complete", metadata={"runs_on": "this machine"})
def complete(prompt: str, *, model: str) -> str:
    return f"{prompt}, says {model}."


@flywheel_log.logged_llm
def stream(prompt: str) -> Iterator[str]:
    yield from prompt.split()


complete("Polly wants a cracker", model="parrot-1b")
list(stream("one word after the other"))

flywheel_log.flush()
for event in [*flywheel_log.read()][-2:]:
    # Arguments called model, temperature, max_tokens, top_p, tools and messages keep their names in the request.
    print(event["workload_id"], event["provider"], event["request"], event["response"]["choices"][0]["message"])
