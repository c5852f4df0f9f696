"""Instrumenting clients: in place, once, reversibly, and beside whoever else wraps the SDK."""

from __future__ import annotations

import copy
import inspect
import json
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import openai
import pytest
import wrapt
from openai.types.chat import ChatCompletionMessage

import flywheel_log
from flywheel_log.event import Event
from flywheel_log.standin import Server
from tests.capture.clients import HELLO, KEY, MESSAGES, bare, recorded, seen

ATTRIBUTES = ("request", "_process_response", "copy", "with_options")
OWNERS = [*openai.OpenAI.__mro__, *openai.AsyncOpenAI.__mro__, *openai.AzureOpenAI.__mro__]


def attributes() -> list[Any]:
    return [vars(owner).get(name) for owner in OWNERS for name in ATTRIBUTES]


def test_the_same_client_comes_back_and_stays_what_it_was(server: Server, events: list[Event]) -> None:
    with bare(server) as client:
        before = (type(client), inspect.signature(client.chat.completions.create), inspect.signature(client.request))
        assert flywheel_log.instrument(client) is client
        after = (type(client), inspect.signature(client.chat.completions.create), inspect.signature(client.request))
    assert after == before
    assert isinstance(client, openai.OpenAI)


async def test_what_is_a_coroutine_function_stays_one(server: Server, events: list[Event]) -> None:
    async with bare(server, openai.AsyncOpenAI) as client:

        def kinds() -> list[bool]:
            asked = [client.request, client.post, client.chat.completions.create, client.copy]
            return [inspect.iscoroutinefunction(one) for one in asked]

        before = kinds()
        flywheel_log.instrument(client)
        assert (before[:2], kinds()) == ([True, True], before)


def test_uninstrument_leaves_the_sdk_as_it_was(server: Server, events: list[Event]) -> None:
    before = attributes()
    with bare(server) as client:
        flywheel_log.instrument(client)
        flywheel_log.instrument()
        assert {id(one) for one in attributes()} != {id(one) for one in before}
        flywheel_log.uninstrument()
        client.chat.completions.create(**HELLO)
    # A wrapper equals what it wraps: only identity tells them apart.
    assert [id(one) for one in attributes()] == [id(one) for one in before]
    assert events == []


def test_one_client_is_uninstrumented_by_itself(server: Server, events: list[Event]) -> None:
    with recorded(server) as one, recorded(server) as other:
        flywheel_log.uninstrument(one)
        one.chat.completions.create(**HELLO, user="one")
        other.chat.completions.create(**HELLO, user="other")
    assert [event["user_id"] for event in events] == ["other"]


def test_twice_is_once_and_renews_the_defaults(server: Server, events: list[Event]) -> None:
    with recorded(server) as client:
        flywheel_log.instrument(client, workload_id="new", tags=["a"])
        client.chat.completions.create(**HELLO)
    assert [(event["workload_id"], event["tags"]) for event in events] == [("new", ["a"])]


def test_instrumenting_from_many_threads_is_once(server: Server, events: list[Event]) -> None:
    ready = threading.Barrier(8)
    with bare(server) as client:

        def instrument() -> None:
            ready.wait()
            flywheel_log.instrument(client)
            flywheel_log.instrument()

        threads = [threading.Thread(target=instrument) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.chat.completions.create(**HELLO)
    assert len(events) == 1


def test_every_client_of_the_process_is_covered(server: Server, events: list[Event]) -> None:
    with bare(server) as before:
        flywheel_log.instrument(workload_id="all")
        with bare(server) as after:
            before.chat.completions.create(**HELLO)
            after.chat.completions.create(**HELLO)
    assert [event["workload_id"] for event in events] == ["all", "all"]


@pytest.fixture
def module_client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with openai.DefaultHttpxClient(verify=False) as http:
        for name, value in {"api_key": KEY, "base_url": f"{server.url}/", "http_client": http, "_client": None}.items():
            monkeypatch.setattr(openai, name, value)
        yield openai


def test_the_client_that_the_module_is_is_covered(module_client: Any, events: list[Event]) -> None:
    flywheel_log.instrument()
    module_client.chat.completions.create(**HELLO)
    assert [(event["status"], event["provider"]) for event in events] == [("ok", "openai")]


def test_what_was_taken_from_a_client_before_is_covered(server: Server, events: list[Event]) -> None:
    with bare(server) as client:
        completions, create, raw = (
            client.chat.completions,
            client.chat.completions.create,
            client.chat.completions.with_raw_response,
        )
        derived = client.with_options(timeout=9)
        flywheel_log.instrument(client)
        completions.create(**HELLO)
        create(**HELLO)
        raw.create(**HELLO)
        derived.chat.completions.create(**HELLO)
    assert len(events) == 3


def test_a_subclass_with_arguments_of_its_own_is_recorded(server: Server, events: list[Event]) -> None:
    class Ours(openai.OpenAI):
        def __init__(self, tenant: str, *, url: str) -> None:
            super().__init__(base_url=url, api_key=KEY)
            self.tenant = tenant

    with Ours("acme", url=server.url) as client:
        flywheel_log.instrument(client)
        client.chat.completions.create(**HELLO)
    assert [(event["provider"], type(client)) for event in events] == [("openai", Ours)]


def test_a_subclass_that_overrides_request_is_recorded_once(server: Server, events: list[Event]) -> None:
    class Ours(openai.OpenAI):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            return super().request(*args, **kwargs)

    flywheel_log.instrument()
    with Ours(base_url=server.url, api_key=KEY) as client:
        client.chat.completions.create(**HELLO)
    assert len(events) == 1


def test_an_instrumented_client_of_a_subclass_that_overrides_request_is_recorded_in_every_way(
    server: Server, events: list[Event]
) -> None:
    class Ours(openai.OpenAI):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            return super().request(*args, **kwargs)

    with flywheel_log.instrument(Ours(base_url=server.url, api_key=KEY)) as client:
        stream = client.chat.completions.create(**HELLO, stream=True)
        assert (type(stream), len(list(stream)) > 1) == (openai.Stream, True)
        client.chat.completions.with_raw_response.create(**HELLO)
        client.post("/chat/completions", body=HELLO, cast_to=object)
        client.with_options(timeout=9).chat.completions.create(**HELLO)
    told = [(event["provider"], event["streamed"]) for event in events]
    assert sorted(told) == [("openai", False)] * 3 + [("openai", True)]


def test_nothing_of_the_callers_is_changed(client: openai.OpenAI, events: list[Event]) -> None:
    request: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "metadata": {"a": "b"},
        "extra_body": {"b": {"c": 1}},
        "extra_headers": {"x-d": "1"},
    }
    if "metadata" not in inspect.signature(client.chat.completions.create).parameters:
        request.pop("metadata")
    before = copy.deepcopy(request)
    client.chat.completions.create(**request)
    list(client.chat.completions.create(**request, stream=True))
    assert request == before
    assert events[0]["request"]["b"] == {"c": 1}


def test_messages_that_are_models_of_the_sdk_are_recorded_as_sent(client: Any, server: Server, events: Any) -> None:
    said = ChatCompletionMessage(role="assistant", content="before")
    client.chat.completions.create(model="m", messages=[*MESSAGES, said, *MESSAGES])
    assert events[0]["request"] == server.requests[0].json()
    assert [one["role"] for one in events[0]["request"]["messages"]] == ["user", "assistant", "user"]


def test_messages_changed_after_the_call_do_not_change_the_record(client: Any, events: list[Event]) -> None:
    messages = [{"role": "user", "content": "hi"}]
    stream = client.chat.completions.create(model="m", messages=messages, stream=True)
    messages[0]["content"] = "changed"
    list(stream)
    assert events[0]["request"]["messages"] == MESSAGES


def test_a_patched_create_is_not_in_the_way(client: openai.OpenAI, events: list[Event]) -> None:
    with mock.patch.object(client.chat.completions, "create", return_value="fake") as create:
        assert client.chat.completions.create(**HELLO) == "fake"
    create.assert_called_once_with(**HELLO)
    with mock.patch("openai.resources.chat.completions.Completions.create", return_value="fake"):
        assert client.chat.completions.create(**HELLO) == "fake"
    client.chat.completions.create(**HELLO)
    assert len(events) == 1


def wrapped_request(calls: list[str], owner: Any = openai.OpenAI) -> Any:
    """Wrap `request` as other libraries do, and return how to undo it."""
    base = next(base for base in owner.__mro__ if "request" in vars(base))
    before = vars(base)["request"]

    def wrapper(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        calls.append("theirs")
        return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper(base, "request", wrapper)
    return lambda: setattr(base, "request", before)


def test_a_library_that_wraps_after_us_keeps_its_wrapper(server: Server, events: list[Event]) -> None:
    before = attributes()
    calls: list[str] = []
    with recorded(server) as client:
        undo = wrapped_request(calls)
        client.chat.completions.create(**HELLO)
        flywheel_log.uninstrument()
        client.chat.completions.create(**HELLO)
        assert (calls, len(events)) == (["theirs", "theirs"], 1)
        flywheel_log.instrument(client)
        client.chat.completions.create(**HELLO)
        assert (len(calls), len(events)) == (3, 2)
        undo()
    flywheel_log.uninstrument()
    assert [id(one) for one in attributes()] == [id(one) for one in before]


def test_a_library_that_wrapped_before_us_goes_on(server: Server, events: list[Event]) -> None:
    calls: list[str] = []
    undo = wrapped_request(calls)
    try:
        with recorded(server) as client:
            client.chat.completions.create(**HELLO)
            list(client.chat.completions.create(**HELLO, stream=True))
    finally:
        flywheel_log.uninstrument()
        undo()
    assert (calls, len(events)) == (["theirs", "theirs"], 2)


def test_ours_is_put_in_again_where_a_library_threw_it_out(server: Server, events: list[Event]) -> None:
    before = attributes()
    undo = wrapped_request([])
    with recorded(server) as client:
        undo()  # What it found before us: nobody is recorded now.
        client.chat.completions.create(**HELLO)
        assert events == []
        flywheel_log.instrument(client)
        client.chat.completions.create(**HELLO)
    flywheel_log.uninstrument()
    assert len(events) == 1
    assert [id(one) for one in attributes()] == [id(one) for one in before]


@pytest.mark.parametrize("cls", [openai.OpenAI, openai.AsyncOpenAI])
async def test_a_library_that_replaced_request_for_this_client_alone_goes_on(
    cls: type, server: Server, events: list[Event]
) -> None:
    calls: list[str] = []
    client = bare(server, cls)
    original = client.request  # Bound before us: the class is of no help.

    def theirs(*args: Any, **kwargs: Any) -> Any:
        calls.append("theirs")
        return original(*args, **kwargs)

    client.request = theirs
    for _ in range(2):
        flywheel_log.instrument(client)
        answer = client.chat.completions.create(**HELLO)
        assert (await answer if inspect.isawaitable(answer) else answer).choices[0].finish_reason == "stop"
    flywheel_log.uninstrument()
    assert client.request is theirs
    assert (calls, [event["status"] for event in events]) == (["theirs"] * 2, ["ok"] * 2)


@pytest.mark.parametrize("how", [{}, {"spec": openai.OpenAI}])
def test_a_mock_in_the_place_of_the_class_is_not_in_the_way(
    how: dict[str, Any], server: Server, events: list[Event]
) -> None:
    with mock.patch("openai.OpenAI", **how) as mocked, mock.patch("openai.AsyncClient"):
        flywheel_log.instrument()
        assert openai.OpenAI() is mocked.return_value
    with bare(server) as client:
        client.chat.completions.create(**HELLO)
    assert [event["status"] for event in events] == ["ok"]


async def test_a_plain_function_around_an_async_request_is_no_obstacle(server: Server, events: list[Event]) -> None:
    base = next(base for base in openai.AsyncOpenAI.__mro__ if "request" in vars(base))
    before: Any = vars(base)["request"]

    def plain(self: Any, cast_to: Any, options: Any, **more: Any) -> Any:
        return before(self, cast_to, options, **more)

    base.request = plain  # type: ignore[attr-defined]
    try:
        async with recorded(server, openai.AsyncOpenAI) as client:
            answer = await client.chat.completions.create(**HELLO)
    finally:
        flywheel_log.uninstrument()
        base.request = before  # type: ignore[attr-defined]
    assert [event["response"]["id"] for event in events] == [answer.id]


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_wrapper_of_create_and_ours_both_see_the_call(first: str, server: Server, events: list[Event]) -> None:
    from openai.resources.chat.completions import Completions

    calls: list[Any] = []

    def wrapper(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        calls.append(type(result).__name__)
        return result

    before = Completions.create
    with bare(server) as client:
        if first == "ours":
            flywheel_log.instrument(client)
        wrapt.wrap_function_wrapper(Completions, "create", wrapper)
        try:
            flywheel_log.instrument(client)
            client.chat.completions.create(**HELLO)
            list(client.chat.completions.create(**HELLO, stream=True))
        finally:
            Completions.create = before  # type: ignore[method-assign]
    assert (calls, [event["streamed"] for event in events]) == (["ChatCompletion", "Stream"], [False, True])


def test_a_call_made_by_a_hook_during_a_call_is_no_obstacle(server: Server, events: list[Event]) -> None:
    with recorded(server) as inner:

        def hook(_: Any) -> None:
            inner.embeddings.create(model="m", input="x")

        http = openai.DefaultHttpxClient(verify=False, event_hooks={"request": [hook]})
        with http, recorded(server) as client:
            client.with_options(http_client=http).chat.completions.create(**HELLO)
    assert [event["surface"] for event in events] == ["chat.completions"]


def test_context_and_suppress_reach_the_record(client: openai.OpenAI, events: list[Event]) -> None:
    with flywheel_log.context(user_id="u1", session_id="s1", metadata={"plan": "pro"}):
        client.chat.completions.create(**HELLO)
        with flywheel_log.suppress():
            client.chat.completions.create(**HELLO)
    assert [(event["user_id"], event["session_id"], event["metadata"]) for event in events] == [
        ("u1", "s1", {"plan": "pro"})
    ]


@pytest.mark.parametrize(("thing", "named"), [(openai.OpenAI, "OpenAI is a class"), (openai, "openai is a module")])
def test_what_clients_are_made_of_is_told_apart_from_them(thing: Any, named: str) -> None:
    with pytest.raises(TypeError, match=f"{named}; instrument a client, or all of them by instrument"):
        flywheel_log.instrument(thing)


@pytest.mark.parametrize(("thing", "name"), [(object(), "object"), (7, "int"), ("client", "str"), (json, "json")])
def test_what_is_no_client_is_refused_with_what_to_do_instead(thing: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} is not an LLM client: it has neither `request") as error:
        flywheel_log.instrument(thing)
    assert "; record the clients below it by instrument() without any, or decorate the function" in str(error.value)


@pytest.mark.parametrize("thing", [object(), 7, "client", openai.OpenAI])
def test_what_was_never_recorded_may_be_uninstrumented(thing: Any, server: Server, events: list[Event]) -> None:
    with recorded(server) as client:
        flywheel_log.uninstrument(thing)
        client.chat.completions.create(**HELLO)
    assert len(events) == 1, "others are recorded as before"


def test_a_copy_of_a_client_is_recorded(server: Server, events: list[Event]) -> None:
    with recorded(server) as client:
        twin = copy.copy(client)
        assert seen(twin.chat.completions.create(**HELLO))[0] == "ChatCompletion"
        client.copy().with_options(max_retries=1).chat.completions.create(**HELLO)
    assert len(events) == 2


class Strict:
    """A wrapper of another library's that is bound as Python binds: with the class."""

    def __init__(self, method: Any) -> None:
        self.__wrapped__ = method

    def __get__(self, instance: Any, owner: type) -> Any:
        return self.__wrapped__.__get__(instance, owner)


def test_a_method_that_others_have_replaced_is_called_as_python_calls_it(
    server: Server, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = next(cls for cls in openai.OpenAI.__mro__ if "request" in vars(cls))
    monkeypatch.setattr(base, "request", Strict(vars(base)["request"]))
    monkeypatch.setattr(openai.OpenAI, "copy", mock.MagicMock(return_value="a copy"))
    with recorded(server) as client:
        assert client.chat.completions.create(**HELLO).choices[0].message.content.endswith("hi")
        assert client.copy() == "a copy"
        flywheel_log.uninstrument(client)
    assert [event["status"] for event in events] == ["ok"]


def test_coroutines_of_an_instrumented_client_are_coroutines(server: Server) -> None:
    with recorded(server) as plain:
        assert not inspect.iscoroutinefunction(plain._process_response)
    client = recorded(server, openai.AsyncOpenAI)
    assert inspect.iscoroutinefunction(client._process_response)
    assert inspect.iscoroutinefunction(client.request)
