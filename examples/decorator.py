# How do I name calls after the function that makes them, whatever kind of function it is?
import asyncio
from collections.abc import AsyncIterator

from openai import AsyncOpenAI, OpenAI

import flywheel_log

client = flywheel_log.instrument(OpenAI())
together = flywheel_log.instrument(AsyncOpenAI())


def asking(text: str) -> list:
    return [{"role": "user", "content": text}]


@flywheel_log.logged_llm
def classify(text: str) -> str:
    """Recorded as workload "classify", the name of the function."""
    answer = client.chat.completions.create(model="gpt-4.1-mini", messages=asking(text))
    return answer.choices[0].message.content or ""


class Writer:
    @flywheel_log.logged_llm(workload_id="draft", tags=["beta"])
    async def write(self, topic: str) -> AsyncIterator[str]:
        chunks = await together.chat.completions.create(
            model="gpt-4.1-mini", messages=asking(f"Write about {topic}."), stream=True
        )
        async for chunk in chunks:
            yield chunk.choices[0].delta.content or ""


async def main() -> None:
    print("".join([piece async for piece in Writer().write("rain")]))
    await together.close()


print(classify("Where is my parcel?"))
asyncio.run(main())

flywheel_log.flush()
print([event["workload_id"] for event in flywheel_log.read()])
