"""How a stream is kept while its reader takes it: tapped on the way, taped, and put together at its end."""
