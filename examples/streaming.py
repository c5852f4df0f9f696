# What is recorded of a stream, and of one that is left early?
from openai import OpenAI

import flywheel_log

client = flywheel_log.instrument(OpenAI(), workload_id="story")
question = [{"role": "user", "content": "Tell a short story."}]

for chunk in client.chat.completions.create(model="gpt-4.1-mini", messages=question, stream=True):
    print(chunk.choices[0].delta.content or "", end="")
print()

with client.chat.completions.create(model="gpt-4.1-mini", messages=question, stream=True) as chunks:
    for number, _ in enumerate(chunks):
        if number == 3:
            break

flywheel_log.flush()
*_, whole, left = flywheel_log.read()
for event in (whole, left):
    # The chunks are put together again: a stream's answer looks like that of a plain call, as far as it was taken.
    print(event["status"], event["response"]["choices"][0]["message"]["content"])
    print("first token after", event["time_to_first_token_ms"], "ms, all after", event["latency_ms"], "ms")
assert (whole["status"], left["status"]) == ("ok", "incomplete")
