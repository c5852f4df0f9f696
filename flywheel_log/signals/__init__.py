"""What a program says itself about its calls: traces, retrieval, prompts, feedback; and figures about all of them."""
