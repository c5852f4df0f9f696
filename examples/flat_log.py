# How do I get a log with a few plain columns, for a spreadsheet or pandas?
import csv
import sys

from openai import OpenAI

import flywheel_log

flywheel_log.configure(sinks=["file:genai.log?format=flat"])
client = flywheel_log.instrument(OpenAI())
with flywheel_log.context(user_id="u42", retrieval_docs=[{"id": "doc7", "score": 0.8}]):
    client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "What is a flywheel?"}])

flywheel_log.flush()
# A full log becomes a table in the same way: these are the events, whatever the lines look like.
columns = ["timestamp", "user_id", "model", "input_tokens", "output_tokens", "latency_ms"]
table = csv.DictWriter(sys.stdout, columns, extrasaction="ignore")
table.writeheader()
table.writerows(flywheel_log.read())
