"""Estimates with their uncertainty, tests of differences, and percentiles, from the standard library alone."""
