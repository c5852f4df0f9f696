# How do I know which user a call of my web application was made for?
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import AsyncOpenAI

import flywheel_log
from flywheel_log.asgi import FlywheelMiddleware

client = flywheel_log.instrument(AsyncOpenAI())
app = FastAPI()


def who(connection: dict) -> dict:
    """Read who asks from the request, wherever your application has it."""
    return {"user_id": dict(connection["headers"])[b"x-user"].decode()}


app.add_middleware(FlywheelMiddleware, identify=who, traces=True)


@app.get("/ask")
async def ask(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    answer = await client.chat.completions.create(model="gpt-4.1-mini", messages=messages)
    return answer.choices[0].message.content


with TestClient(app) as browser:  # in your project: uvicorn fastapi_app:app
    browser.get("/ask", params={"question": "What is a flywheel?"}, headers={"x-user": "u42"})

flywheel_log.flush()
for event in [*flywheel_log.read("genai.log")][-2:]:
    print(event["kind"], event.get("name", event.get("model")), event["user_id"], event["trace_id"])
