"""Send logged requests again, changed, and see old beside new: plan, send, then pair."""
