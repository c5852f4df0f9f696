"""From an event to its sinks: journalled by the caller, shipped by threads of our own."""

from .delivery import Delivery
from .drain import drain
from .waiting import waiting

__all__ = ["Delivery", "drain", "waiting"]
