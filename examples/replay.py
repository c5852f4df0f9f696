# How would another model have answered yesterday's questions?
from functools import partial

from openai import OpenAI

import flywheel_log
from flywheel_log.loop.feedback import Feedbacks
from flywheel_log.loop.replay.change import Change
from flywheel_log.loop.replay.fit import request_of
from flywheel_log.loop.replay.origin import of_run, stamp
from flywheel_log.loop.replay.pairs import Pairs, pairs, replays
from flywheel_log.loop.replay.send import send

client = flywheel_log.instrument(OpenAI(), workload_id="translate")
for word in ("flywheel", "record", "journal"):
    client.chat.completions.create(
        model="gpt-4.1", messages=[{"role": "user", "content": f"Translate to French: {word}"}]
    )
flywheel_log.flush()

# `flywheel-log replay --model gpt-4.1-mini` does this, and asks first. Here every call of the workload is fit.
body = partial(request_of, change=Change(model="gpt-4.1-mini"), anywhere=True)
asked = (event for event in flywheel_log.read("genai.log") if event["workload_id"] == "translate")
jobs = [(event, body(event)) for event in asked]
sent = send(jobs, client, lambda event: stamp(event, run="mini"), concurrency=2, per_minute=600)
flywheel_log.flush()

found = Pairs()
news = replays(of_run(flywheel_log.read("genai.log"), "mini"))
for old, new in pairs(flywheel_log.read("genai.log"), news):
    found.add(old, new, Feedbacks(()))
print(f"{sent.answered} answered; {found.agreement.exact.hits} of {found.count} answers are the same as before")
for one in found.differences():
    print(f"{one.name:<28} {one.a.value} → {one.b.value}")
