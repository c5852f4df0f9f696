"""Tests of the sink `otlp:`, against a collector that decodes what it is sent."""
