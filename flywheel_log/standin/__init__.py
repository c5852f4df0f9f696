"""An OpenAI-compatible server on the loopback interface, for demonstrations, documentation and tests: no model, no key.

    with standin.serve() as server:
        client = OpenAI(base_url=server.url, api_key="stand-in")

It answers from the prompt alone, deterministically, and says in every answer that it is the stand-in. A script that
answers in its stead may `say` what it likes.
"""

from .server import Script, Server, serve
from .surfaces.chat_completions import say
from .wire import HANG_UP, HangUp, Received, Reply, frame

__all__ = ["HANG_UP", "HangUp", "Received", "Reply", "Script", "Server", "frame", "say", "serve"]
