"""`@logged_llm`: functions on record, from what they are given and what they return."""
