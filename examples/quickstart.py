# How do I record every LLM call of my program?
from openai import OpenAI

import flywheel_log

client = flywheel_log.instrument(OpenAI())

answer = client.chat.completions.create(
    model="gpt-4.1-mini",
    messages=[{"role": "user", "content": "Say hello in five words."}],
)
print(answer.choices[0].message.content)

# A program that ends delivers by itself; this one reads its log at once, so it waits for it.
flywheel_log.flush()
*_, event = flywheel_log.read("genai.log")
print(event["status"], event["model"], event.get("latency_ms"), "ms")
