# How do I record a client that is not OpenAI's: a gateway's, or a fake one?
from types import SimpleNamespace

import flywheel_log


class Completions:
    def create(self, *, model: str, messages: list) -> SimpleNamespace:
        message = SimpleNamespace(role="assistant", content=f"{len(messages)} messages for {model}")
        return SimpleNamespace(
            choices=[SimpleNamespace(index=0, message=message, finish_reason="stop")],
            usage=SimpleNamespace(prompt_tokens=7, completion_tokens=4),
        )


class Gateway:
    """Anything with `chat.completions.create`, or one of its neighbours, will do."""

    def __init__(self) -> None:
        self.chat = SimpleNamespace(completions=Completions())


client = flywheel_log.instrument(Gateway(), workload_id="gateway")
client.chat.completions.create(model="house-model", messages=[{"role": "user", "content": "Hello."}])

flywheel_log.flush()
*_, event = flywheel_log.read()
print(event["provider"], event["input_tokens"], event["output_tokens"], event["response"]["choices"][0])
