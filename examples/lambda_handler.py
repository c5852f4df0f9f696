# How do I record calls in AWS Lambda, where a process is frozen as soon as it has answered?
from openai import OpenAI

import flywheel_log

flywheel_log.configure(
    sinks=["file:genai.log"]
)  # in Lambda: "stdout:", "elasticsearch:" or "otlp:", and a journal in /tmp
client = flywheel_log.instrument(OpenAI())


@flywheel_log.invocation(timeout=1.0, workload_id="answer")
def handler(event: dict, _context: object) -> dict:
    messages = [{"role": "user", "content": event["question"]}]
    answer = client.chat.completions.create(model="gpt-4.1-mini", messages=messages)
    return {"answer": answer.choices[0].message.content}


print(handler({"question": "What is a flywheel?"}, None))
print(len(list(flywheel_log.read("genai.log"))), "record is there before the handler has returned")
