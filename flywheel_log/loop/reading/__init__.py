"""From logs to events: all of a log, the latest, those since a time, or new ones as they come."""
