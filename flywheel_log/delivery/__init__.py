"""From an event to its sinks: journalled by the caller, shipped by threads of our own."""

from .delivery import Delivery
from .drain import drain

__all__ = ["Delivery", "drain"]
