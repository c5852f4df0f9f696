"""What the contract needs: LiteLLM without the network."""

from __future__ import annotations

import os

# LiteLLM fetches its prices when it is imported, unless it is told not to.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
