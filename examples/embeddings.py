# Are embeddings recorded, and do their vectors fill my log?
from openai import OpenAI

import flywheel_log

client = flywheel_log.instrument(OpenAI(), workload_id="index")
vectors = client.embeddings.create(model="text-embedding-3-small", input=["a flywheel", "a journal"])
print(len(vectors.data), "vectors of", len(vectors.data[0].embedding))

flywheel_log.flush()
*_, event = flywheel_log.read()
# In the record a vector is its dimensions, its norm and a hash; configure(embeddings="keep") keeps the numbers.
print(event["kind"], event["input_tokens"], event["response"]["data"])
