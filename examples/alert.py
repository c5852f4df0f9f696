# How do I get an alert when calls fail, cost too much or become slow?
from datetime import UTC, datetime

from openai import OpenAI

import flywheel_log
from flywheel_log.loop.alert import check, earliest, parse
from flywheel_log.loop.alert.words import in_words
from flywheel_log.loop.feedback import Feedbacks

client = flywheel_log.instrument(OpenAI(), workload_id="support")
for number in range(20):
    client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": f"Order {number}?"}])
flywheel_log.flush()

# The same from a shell, for cron: flywheel-log alert --rule 'error_rate > 5% over 15m' --rule 'calls > 10 over 1h'
rules = [parse("error_rate > 5% over 15m"), parse("latency_p95 > 5s over 15m"), parse("calls > 10 over 1h")]
now = datetime.now(UTC)
for outcome in check(rules, flywheel_log.read("genai.log", since=earliest(rules, now)), Feedbacks(()), now):
    print(outcome.state, in_words(outcome))
