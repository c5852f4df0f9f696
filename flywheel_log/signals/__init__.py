"""What a program itself reports about its calls: traces, retrieval, prompts, feedback; and totals of all calls."""
