# How do I send records to several places: a file that rotates, stdout, my own structlog?
import structlog
from openai import OpenAI

import flywheel_log

structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.LogfmtRenderer()])

flywheel_log.configure(sinks=["file:genai.log?rotate_mb=100&keep=5", "stdout:", "structlog:?logger=llm&level=debug"])
client = flywheel_log.instrument(OpenAI())
client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "Hello, everybody."}])

flywheel_log.flush()
# Each sink goes at its own pace; one that is down holds up no other.
for name, figures in flywheel_log.stats()["sinks"].items():
    print(name.split("/")[0], figures["acknowledged"], "acknowledged,", figures["waiting"], "waiting")
