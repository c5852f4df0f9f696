# How do I record an asyncio program that makes many calls at once?
import asyncio

from openai import AsyncOpenAI

import flywheel_log


async def translate(client: AsyncOpenAI, word: str) -> None:
    with flywheel_log.context(metadata={"word": word}):
        await client.chat.completions.create(
            model="gpt-4.1-mini", messages=[{"role": "user", "content": f"Translate to French: {word}"}]
        )


async def main() -> None:
    async with flywheel_log.instrument(AsyncOpenAI(), workload_id="translate") as client:
        await asyncio.gather(*(translate(client, word) for word in ("flywheel", "record", "journal")))
    # Waiting is for threads: an event loop would stand still meanwhile.
    await asyncio.to_thread(flywheel_log.flush)


asyncio.run(main())
print(sorted(event["metadata"]["word"] for event in [*flywheel_log.read()][-3:]))
