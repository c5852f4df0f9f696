"""What is kept of a log and for how long: rotation, pruning, and the right to be forgotten."""
