# How do I delete everything that is recorded of one user?
from pathlib import Path

from openai import OpenAI

import flywheel_log
from flywheel_log.loop.retention.forget import forget
from flywheel_log.loop.retention.person import Person
from flywheel_log.loop.retention.places import Log

client = flywheel_log.instrument(OpenAI())
for user in ("u42", "u43", "u42"):
    client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "Where is my order?"}], user=user
    )
flywheel_log.flush()

# The same from a shell, for all sinks and the journal: flywheel-log forget --user u42
(done,) = forget(Person("u42"), [Log(Path("genai.log").absolute())])
print(f"{done.removed} records removed, {done.left} left")
