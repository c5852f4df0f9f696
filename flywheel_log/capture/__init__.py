"""Turn LLM calls into events. Knows nothing about where events go."""
