# How do I follow an agent that calls tools, step by step?
import json
from typing import Any

from openai import OpenAI

import flywheel_log

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def weather(city: str) -> str:
    return f"Rain in {city}, 9 degrees."


# The whole agent is one workload, a run of it is one session.
@flywheel_log.logged_llm(workload_id="weather-agent", session_id="run-1")
def ask(client: OpenAI, question: str) -> str:
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        turn = client.chat.completions.create(model="gpt-4.1-mini", messages=messages, tools=[WEATHER]).choices[0]
        messages.append(turn.message)
        if not turn.message.tool_calls:
            return turn.message.content or ""
        for call in turn.message.tool_calls:
            result = weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


print(ask(flywheel_log.instrument(OpenAI()), "Is it raining in Ulm?"))

flywheel_log.flush()
for event in [*flywheel_log.read()][-2:]:
    asked, answered = event["request"]["messages"], event["response"]["choices"][0]["message"]
    wanted = [call["function"]["name"] for call in answered.get("tool_calls") or []]
    print(event["session_id"], f"{len(asked)} messages →", wanted or answered["content"])
