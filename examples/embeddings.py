# Are embeddings recorded, and how do I keep the vectors out of my log?
from openai import OpenAI

import flywheel_log
from flywheel_log import Event


def without_vectors(_: object, __: str, event: Event) -> Event:
    for item in event.get("response", {}).get("data", []):
        item["embedding"] = "left out"
    return event


flywheel_log.configure(processors=[without_vectors])
client = flywheel_log.instrument(OpenAI(), workload_id="index")
vectors = client.embeddings.create(model="text-embedding-3-small", input=["a flywheel", "a journal"])
print(len(vectors.data), "vectors of", len(vectors.data[0].embedding))

flywheel_log.flush()
(event,) = flywheel_log.read()
print(event["kind"], event["input_tokens"], event["response"]["data"])
