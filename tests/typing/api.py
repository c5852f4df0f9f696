"""What a user's type checker sees; never executed, only checked by mypy --strict."""
