# What is recorded when a call fails, and do I still get my exception?
import openai

import flywheel_log
from flywheel_log import standin


def flaky(request: standin.Received) -> standin.Reply | None:
    """Refuse the first request, as a busy service would."""
    busy = {"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded"}}
    return standin.Reply.json(busy, 429, {"retry-after-ms": "10"}) if request.number == 1 else None


question = [{"role": "user", "content": "Will this work?"}]
with standin.serve(flaky) as server:
    client = flywheel_log.instrument(openai.OpenAI(base_url=server.url, api_key="stand-in"))
    client.chat.completions.create(model="gpt-4.1-mini", messages=question)
    try:
        client.chat.completions.create(model="error-404", messages=question)
    except openai.NotFoundError as error:
        print("raised as ever:", error.status_code)

flywheel_log.flush()
*_, retried, failed = flywheel_log.read()
print(retried["status"], "after retries:", retried["retries"])
# One call is one record, however often the SDK tried; a failed one is marked so that no dataset takes it by accident.
print(failed["status"], failed["error"], failed["training_unsafe"])
