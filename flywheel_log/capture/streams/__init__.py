"""How a stream is kept while its reader consumes it: tapped in passing, taped, and assembled at its end."""
