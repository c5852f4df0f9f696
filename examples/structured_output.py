# How are structured outputs (`parse`, pydantic models, JSON schemas) recorded?
from openai import OpenAI
from pydantic import BaseModel

import flywheel_log


class Ticket(BaseModel):
    subject: str
    urgent: bool


client = flywheel_log.instrument(OpenAI(), workload_id="triage")
answer = client.chat.completions.parse(
    model="gpt-4.1-mini",
    messages=[{"role": "user", "content": "The shop is down!"}],
    response_format=Ticket,
)
print(answer.choices[0].message.parsed)

flywheel_log.flush()
*_, event = flywheel_log.read()
# The record has the schema that went over the wire and the JSON text that came back, not the Python objects.
print(event["request"]["response_format"]["json_schema"]["schema"]["properties"])
print(event["response"]["choices"][0]["message"]["content"])
