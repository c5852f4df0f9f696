# How do I say which user, session and task each call belongs to?
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI

import flywheel_log

flywheel_log.configure(client_id="shop")
client = flywheel_log.instrument(OpenAI(), tags=["production"])


def ask(question: str) -> None:
    client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": question}])


def handle(user: str, session: str) -> None:
    """Serve one request, as a web framework would."""
    with flywheel_log.context(user_id=user, session_id=session):
        with flywheel_log.context(workload_id="classify", tags=["cheap"]):
            ask("Is this a complaint or a question?")
        # The fields go with what is submitted to a pool, too.
        with flywheel_log.context(workload_id="search"), ThreadPoolExecutor() as pool:
            list(pool.map(ask, ["opening hours", "return policy"]))


handle("u42", "s7")
with flywheel_log.suppress():
    ask("This one is not recorded.")

flywheel_log.flush()
for event in [*flywheel_log.read()][-3:]:
    print(event["client_id"], event["workload_id"], event["user_id"], event["session_id"], event["tags"])
