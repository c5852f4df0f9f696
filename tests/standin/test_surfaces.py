"""The stand-in, asked by the real SDK: every surface parses, and every answer follows from the prompt."""

from __future__ import annotations

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from flywheel_log import standin

HELLO = [{"role": "user", "content": "Hello, who are you?"}]
SAID = "This is the stand-in, not a model. You said: Hello, who are you?"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city"],
        },
    },
}
ARGUMENTS = '{"city": "Hello, who are you?", "days": 1}'


class Person(BaseModel):
    """A schema with a reference, a list and an optional value."""

    class Address(BaseModel):
        """What is referred to."""

        street: str

    name: str
    age: int
    addresses: list[Address]
    note: str | None


def test_chat_quotes_the_prompt_and_says_who_it_is(client: OpenAI):
    answer = client.chat.completions.create(model="any", messages=HELLO)
    assert answer.choices[0].message.content == SAID
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (11, 20, 31)


def test_a_chat_stream_joins_to_the_plain_answer(client: OpenAI):
    chunks = list(
        client.chat.completions.create(
            model="any", messages=HELLO, stream=True, n=2, stream_options={"include_usage": True}
        )
    )
    texts = ["", ""]
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [SAID, f"{SAID} (choice 1)"]
    assert [choice.finish_reason for chunk in chunks[-3:] for choice in chunk.choices] == ["stop", "stop"]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 45


def test_a_stream_without_include_usage_has_none(client: OpenAI):
    chunks = client.chat.completions.create(model="any", messages=HELLO, stream=True)
    assert {chunk.usage for chunk in chunks} == {None}


def test_tools_are_called_when_the_user_spoke_last(client: OpenAI):
    answer = client.chat.completions.create(model="any", messages=HELLO, tools=[WEATHER])
    message = answer.choices[0].message
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert (call.type, call.function.name, call.function.arguments) == ("function", "weather", ARGUMENTS)
    assert (message.content, answer.choices[0].finish_reason) == (None, "tool_calls")
    history = [*HELLO, message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "1"}]
    after = client.chat.completions.create(model="any", messages=history, tools=[WEATHER])
    assert after.choices[0].message.content == SAID


def test_a_streamed_tool_call_joins_to_the_plain_one(client: OpenAI):
    with client.chat.completions.stream(model="any", messages=HELLO, tools=[WEATHER]) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [(call.function.name, call.function.arguments) for call in calls] == [("weather", ARGUMENTS)]


def test_tool_choice_none_is_obeyed(client: OpenAI):
    answer = client.chat.completions.create(model="any", messages=HELLO, tools=[WEATHER], tool_choice="none")
    assert answer.choices[0].message.content == SAID


def test_structured_output_fits_its_schema(client: OpenAI):
    answer = client.chat.completions.parse(model="any", messages=HELLO, response_format=Person)
    said = "Hello, who are you?"
    assert answer.choices[0].message.parsed == Person(
        name=said, age=0, addresses=[Person.Address(street=said)], note=said
    )


def test_max_tokens_cuts_the_answer(client: OpenAI):
    answer = client.chat.completions.create(model="any", messages=HELLO, max_tokens=3)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("This is the", "length")


def test_responses_quote_the_prompt(client: OpenAI):
    answer = client.responses.create(model="any", input="Hello, who are you?")
    assert (answer.output_text, answer.status) == (SAID, "completed")


def test_a_responses_stream_tells_the_whole_story(client: OpenAI):
    events = list(client.responses.create(model="any", input=HELLO, stream=True, max_output_tokens=2))
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
    ]
    assert [event.sequence_number for event in events] == list(range(10))


def test_the_responses_stream_helper_finds_the_final_response(client: OpenAI):
    with client.responses.stream(model="any", input="Hello, who are you?") as stream:
        assert stream.get_final_response().output_text == SAID


def test_responses_call_functions(client: OpenAI):
    tool = {"type": "function", "strict": False, **WEATHER["function"]}
    with client.responses.stream(model="any", input=HELLO, tools=[tool]) as stream:
        streamed = stream.get_final_response().output[0]
    plain = client.responses.create(model="any", input=HELLO, tools=[tool]).output[0]
    assert [(item.type, item.name, item.arguments) for item in (streamed, plain)] == [
        ("function_call", "weather", ARGUMENTS)
    ] * 2


def test_responses_fit_a_schema(client: OpenAI):
    answer = client.responses.parse(model="any", input="Ada", text_format=Person)
    assert answer.output_parsed == Person(name="Ada", age=0, addresses=[Person.Address(street="Ada")], note="Ada")


def test_completions_answer_every_prompt(client: OpenAI):
    answer = client.completions.create(model="any", prompt=["a", "b"], max_tokens=100)
    assert [(choice.index, choice.text) for choice in answer.choices] == [
        (0, "This is the stand-in, not a model. You said: a"),
        (1, "This is the stand-in, not a model. You said: b"),
    ]


def test_a_completions_stream_joins_to_the_plain_answer(client: OpenAI):
    chunks = list(
        client.completions.create(model="any", prompt="a", stream=True, stream_options={"include_usage": True})
    )
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == (
        "This is the stand-in, not a model. You said: a"
    )
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 15


def test_embeddings_are_the_same_in_numbers_and_in_base64(client: OpenAI):
    encoded = client.embeddings.create(model="any", input=["a", "b"])
    numbers = client.embeddings.create(model="any", input=["a", "b"], encoding_format="float")
    for one, other in zip(encoded.data, numbers.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    assert [sum(value * value for value in one.embedding) for one in numbers.data] == [pytest.approx(1)] * 2
    assert numbers.data[0].embedding != numbers.data[1].embedding


def test_embeddings_have_the_dimensions_asked_for(client: OpenAI):
    answer = client.embeddings.create(model="any", input="a", dimensions=100)
    assert len(answer.data[0].embedding) == 100


def test_moderation_flags_on_request_only(client: OpenAI):
    answer = client.moderations.create(input=["peace", "please flag me"])
    assert [(one.flagged, one.categories.harassment) for one in answer.results] == [(False, False), (True, True)]


def test_models_are_listed_and_described(client: OpenAI):
    assert [model.id for model in client.models.list()] == ["stand-in"]
    assert client.models.retrieve("gpt-4.1").id == "gpt-4.1"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_an_error_model_is_that_error(client: OpenAI, status: int, kind: type[openai.APIStatusError]):
    with pytest.raises(kind) as raised:
        client.chat.completions.create(model=f"error-{status}", messages=HELLO)
    assert (raised.value.status_code, raised.value.request_id) == (status, "req_standin_1")


def test_a_rate_limit_says_when_to_come_back(client: OpenAI, server: standin.Server):
    with pytest.raises(openai.RateLimitError) as raised:
        client.with_options(max_retries=2).chat.completions.create(model="error-429", messages=HELLO)
    assert raised.value.response.headers["retry-after"] == "1"
    assert len(server.requests) == 3


def test_an_error_can_come_in_mid_stream(client: OpenAI):
    stream = client.chat.completions.create(model="error-mid-stream", messages=HELLO, stream=True)
    texts = [next(stream).choices[0].delta.content for _ in range(3)]
    with pytest.raises(openai.APIError, match="asked to break off"):
        next(stream)
    assert texts == ["", "This", " is"]


def test_a_request_without_a_key_is_refused(client: OpenAI):
    with pytest.raises(openai.AuthenticationError, match="Authorization header is missing"):
        client.models.list(extra_headers={"Authorization": openai.omit})  # type: ignore[dict-item]


def test_azure_paths_and_keys_are_understood(server: standin.Server):
    endpoint = server.url.removesuffix("/v1")
    with openai.AzureOpenAI(azure_endpoint=endpoint, api_key="k", api_version="2024-10-21") as client:
        answer = client.chat.completions.create(model="deployed", messages=HELLO)
    assert answer.choices[0].message.content == SAID


def test_a_missing_parameter_is_named(client: OpenAI):
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'messages'"):
        client.post("/chat/completions", body={"model": "any"}, cast_to=object)


def test_an_unknown_surface_names_the_known_ones(client: OpenAI):
    with pytest.raises(
        openai.NotFoundError, match=r"GET /v1/files is unknown to the stand-in; expected one of .*POST /chat/comp"
    ):
        client.files.list()


def test_a_script_says_what_it_likes_in_the_shape_that_was_asked_for():
    def script(received: standin.Received) -> standin.Reply:
        if received.number == 3:
            return standin.say(received, '{"city": "Ulm"', tool="weather")
        return standin.say(received, "I would rather not.", refused=True)

    with standin.serve(script) as server, OpenAI(base_url=server.url, api_key="stand-in", max_retries=0) as client:
        message = client.chat.completions.create(model="any", messages=HELLO).choices[0].message
        chunks = client.chat.completions.create(model="any", messages=HELLO, stream=True)
        streamed = "".join(chunk.choices[0].delta.refusal or "" for chunk in chunks)
        call = client.chat.completions.create(model="any", messages=HELLO).choices[0]
    assert (message.content, message.refusal, streamed) == (None, "I would rather not.", "I would rather not.")
    assert call.finish_reason == "tool_calls"
    assert call.message.tool_calls is not None
    assert call.message.tool_calls[0].function.arguments == '{"city": "Ulm"'
