"""What happens to an event before it is journalled: structlog processors; file = verb."""
