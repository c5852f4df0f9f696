"""One way through each door to a stand-in: asked for a whole answer, for a stream, and in a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import agents
import anthropic
import groq
import litellm
import openai
from google import genai
from google.genai import types
from langchain_openai import ChatOpenAI

import flywheel_log
from flywheel_log.langchain import FlywheelLogHandler
from flywheel_log.litellm import FlywheelLogger
from flywheel_log.openai_agents import FlywheelTracingProcessor
from flywheel_log.standin import Server
from tests.capture.clients import KEY, MESSAGES, bare

# Certificates, which take longer to load than most tests, are of no use on the loopback.
Ask = Callable[..., Any]
Options = dict[str, Any]


def asked(options: Options) -> Options:
    return {"model": "gpt-4.1-mini", "messages": MESSAGES, **options}


# What is to be closed after the test: an SDK leaves the connections open that it was given.
open_clients = ExitStack()


def root(server: Server) -> str:
    return server.url.removesuffix("/v1")


def opened(server: Server) -> openai.OpenAI:
    return open_clients.enter_context(bare(server))


def by_openai(server: Server, **options: Any) -> Any:
    return flywheel_log.instrument(opened(server)).chat.completions.create(**asked(options))


def by_groq(server: Server, **options: Any) -> Any:
    http = open_clients.enter_context(groq.DefaultHttpxClient(verify=False))
    client = groq.Groq(base_url=root(server), api_key=KEY, max_retries=0, http_client=http)
    return flywheel_log.instrument(client).chat.completions.create(**asked(options))


def by_anthropic(server: Server, **options: Any) -> Any:
    http = open_clients.enter_context(anthropic.DefaultHttpxClient(verify=False))
    client = anthropic.Anthropic(base_url=root(server), api_key=KEY, max_retries=0, http_client=http)
    return flywheel_log.instrument(client).messages.create(**asked({"max_tokens": 99, **options}))


def by_google(server: Server, *, stream: bool = False, model: str = "gemini-2.5-flash", **_: Any) -> Any:
    http = types.HttpOptions(base_url=root(server), client_args={"verify": False})
    client = genai.Client(api_key=KEY, http_options=http)
    flywheel_log.instrument(client)
    return google_stream(client, model) if stream else client.models.generate_content(model=model, contents="hi")


def google_stream(client: genai.Client, model: str) -> Iterator[Any]:
    with client:  # It closes when it is collected, whoever reads a stream of it.
        yield from client.models.generate_content_stream(model=model, contents="hi")


def by_another_client(server: Server, **options: Any) -> Any:
    create = opened(server).chat.completions.create
    gateway = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    return flywheel_log.instrument(gateway).chat.completions.create(**asked(options))


def by_a_function(server: Server, **options: Any) -> Any:
    return flywheel_log.logged_llm(opened(server).chat.completions.create)(**asked(options))


def by_a_generator(server: Server, *, stream: bool, **options: Any) -> Any:
    @flywheel_log.logged_llm
    def ask(messages: Any, **more: Any) -> Iterator[Any]:
        yield from opened(server).chat.completions.create(messages=messages, stream=True, **more)

    return ask(**asked(options))


def by_langchain(server: Server, *, stream: bool = False, model: str = "gpt-4.1-mini", **options: Any) -> Any:
    http = open_clients.enter_context(openai.DefaultHttpxClient(verify=False))
    given = {"http_client": http, "callbacks": [FlywheelLogHandler()], **options}
    chat = ChatOpenAI(model=model, base_url=server.url, api_key=KEY, max_retries=0, **given)
    return chat.stream("hi") if stream else chat.invoke("hi")


def by_litellm(server: Server, *, model: str = "gpt-4.1-mini", **options: Any) -> Any:
    litellm.callbacks = [FlywheelLogger()]
    given = asked({"api_base": server.url, "api_key": KEY, "max_retries": 0, **options})
    return litellm.completion(**given | {"model": f"openai/{model}"})


async def by_an_agent(server: Server, *, stream: bool = False, model: str = "gpt-4.1-mini") -> Any:
    agents.set_trace_processors([FlywheelTracingProcessor()])
    async with bare(server, openai.AsyncOpenAI) as client:
        one = agents.Agent(name="Clerk", model=agents.OpenAIChatCompletionsModel(model, client))
        if not stream:
            return await agents.Runner.run(one, "hi", max_turns=1)
        return [event async for event in agents.Runner.run_streamed(one, "hi", max_turns=1).stream_events()]


def by_agents(server: Server, **options: Any) -> Any:
    return asyncio.run(by_an_agent(server, **options))


WAYS: dict[str, tuple[str, Ask]] = {
    "openai": ("openai", by_openai),
    "anthropic": ("anthropic", by_anthropic),
    "groq": ("groq", by_groq),
    "google": ("google", by_google),
    "foreign": ("foreign", by_another_client),
    "function": ("decorator", by_a_function),
    "generator": ("decorator", by_a_generator),
    "langchain": ("langchain", by_langchain),
    "litellm": ("litellm", by_litellm),
    "agents": ("agents", by_agents),
}


async def groq_later(server: Server) -> Any:
    async with groq.AsyncGroq(base_url=root(server), api_key=KEY, max_retries=0) as client:
        return await flywheel_log.instrument(client).chat.completions.create(**asked({}))


async def another_client_later(server: Server) -> Any:
    async with bare(server, openai.AsyncOpenAI) as client:
        gateway = SimpleNamespace(
            chat=SimpleNamespace(completions=SimpleNamespace(create=client.chat.completions.create))
        )
        return await flywheel_log.instrument(gateway).chat.completions.create(**asked({}))


async def function_later(server: Server) -> Any:
    async with bare(server, openai.AsyncOpenAI) as client:
        return await flywheel_log.logged_llm(client.chat.completions.create)(**asked({}))


async def litellm_later(server: Server) -> Any:
    litellm.callbacks = [FlywheelLogger()]
    return await litellm.acompletion(**asked({"api_base": server.url, "api_key": KEY, "model": "openai/gpt-4.1-mini"}))


LATER: dict[str, tuple[str, Callable[[Server], Awaitable[Any]]]] = {
    "groq": ("groq", groq_later),
    "foreign": ("foreign", another_client_later),
    "function": ("decorator", function_later),
    "litellm": ("litellm", litellm_later),
    "agents": ("agents", by_an_agent),
}
