"""From an event to its sinks: serialised and journalled by the caller, shipped by threads of our own."""

from .delivery import Delivery
from .drain import drain
from .serialise import dumps

__all__ = ["Delivery", "drain", "dumps"]
