# How do I make one dataset of calls to Anthropic and to Google, with their tools?
import json

from anthropic import Anthropic
from google import genai
from google.genai import types

import flywheel_log
from flywheel_log.event import to_document

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

claude = flywheel_log.instrument(Anthropic(), workload_id="weather")
gemini = flywheel_log.instrument(genai.Client(), workload_id="weather")

claude.messages.create(
    model="claude-sonnet-5",
    max_tokens=200,
    messages=[{"role": "user", "content": "Is it raining in Ulm?"}],
    tools=[{"name": "weather", "description": "The weather of a city.", "input_schema": CITY}],
)
declared = types.FunctionDeclaration(name="weather", description="The weather of a city.", parameters_json_schema=CITY)
gemini.models.generate_content(
    model="gemini-2.5-flash",
    contents="Is it raining in Ulm?",
    config=types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])]),
)

flywheel_log.flush()
for event in [*flywheel_log.read()][-2:]:  # the bodies in the log are Anthropic's and Google's; the documents are chats
    document = to_document(event)
    print(event["provider"], sorted(event["request"]))
    print(json.dumps(document["request"]["messages"]), json.dumps(document["request"]["tools"]))
    print(json.dumps(document["response"]["choices"]))

# flywheel-log export --format openai genai.log makes training data of both.
