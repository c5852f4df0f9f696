"""From logs to better prompts: read the records, count them, look at them."""
