# Leaves no genai.log: how do I test that my program records what it should?
from openai import OpenAI

import flywheel_log
from flywheel_log import standin
from flywheel_log.testing import recording


def summarise(client: OpenAI, text: str) -> str:
    """Stand for the program under test."""
    with flywheel_log.context(workload_id="summarise"):
        answer = client.chat.completions.create(
            model="gpt-4.1-mini", messages=[{"role": "user", "content": f"Summarise: {text}"}]
        )
    return answer.choices[0].message.content or ""


def test_a_summary_is_recorded_under_its_workload() -> None:
    with standin.serve() as server, recording() as events:
        client = flywheel_log.instrument(OpenAI(base_url=server.url, api_key="stand-in"))
        answer = summarise(client, "It was a dark and stormy night.")
    (event,) = events
    assert (event["id"], event["workload_id"], event["status"]) == ("test-1", "summarise", "ok")
    assert event["response"]["choices"][0]["message"]["content"] == answer


if __name__ == "__main__":
    test_a_summary_is_recorded_under_its_workload()
    print("passed")
