"""What a guest in another program's process must handle: threads, forks, imports, randomness, files; not calls."""
