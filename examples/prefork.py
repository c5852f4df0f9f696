# How do I record in forked workers, such as those of gunicorn, celery or multiprocessing?
import os
from collections import Counter

from openai import OpenAI

import flywheel_log

# Once, before the fork, for every client of this process and of its workers; each has a journal and threads of its own.
flywheel_log.instrument()


def ask(question: str) -> None:
    # A client of its own: one that was used before the fork would share its open connection with all workers.
    with OpenAI() as client:
        client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": question}])


ask("Is everything ready?")
workers = []
for number in range(3):
    worker = os.fork()
    if worker == 0:
        with flywheel_log.context(metadata={"worker": number}):
            ask("Who am I?")
        # A worker that ends without Python's exit handlers, as this one does, delivers itself, or leaves its records
        # on the disk for the next process that records to the same places.
        flywheel_log.shutdown()
        os._exit(0)
    workers.append(worker)
statuses = [os.waitpid(worker, 0)[1] for worker in workers]

flywheel_log.flush()
# The first half of an id stands for the process that made the call.
print(statuses, Counter(event["id"].partition("-")[0] for event in flywheel_log.read()))
