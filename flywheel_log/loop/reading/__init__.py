"""From logs to events: all of one, the latest, those since a time, those to come; wherever the records are."""
