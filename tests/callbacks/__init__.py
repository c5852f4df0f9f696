"""Tests of what frameworks tell us of their calls, each with the framework itself."""
