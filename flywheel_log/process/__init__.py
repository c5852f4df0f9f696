"""What a guest in somebody's process has to see to: threads and forks, imports, chance, files; nothing about calls."""
