"""What the contract needs: the events of the test, and scripted stand-ins."""

from __future__ import annotations

import os

from tests.capture.conftest import events, start

# LiteLLM fetches its prices when it is imported, unless it is told not to.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

__all__ = ["events", "start"]
