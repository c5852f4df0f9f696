# How do I turn the log into a dataset for fine-tuning or evaluation?
import json
from pathlib import Path

from openai import OpenAI

import flywheel_log

client = flywheel_log.instrument(OpenAI(), workload_id="translate")
for word in ("flywheel", "record", "journal"):
    client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": f"Translate to French: {word}"}]
    )
client.chat.completions.create(
    model="gpt-4.1-mini", messages=[{"role": "user", "content": "Translate to French: shortened"}], max_tokens=3
)

flywheel_log.flush()
with Path("translate.jsonl").open("w", encoding="utf-8") as dataset:
    for event in flywheel_log.read("genai.log"):
        # Failed, cut, refused and broken answers say so: nobody learns from them by accident.
        if event["workload_id"] == "translate" and "training_unsafe" not in event:
            answer = event["response"]["choices"][0]["message"]
            turns = [*event["request"]["messages"], {"role": "assistant", "content": answer["content"]}]
            dataset.write(json.dumps({"messages": turns}, ensure_ascii=False) + "\n")

print(len(Path("translate.jsonl").read_text(encoding="utf-8").splitlines()), "of 4 calls are fit for training")
