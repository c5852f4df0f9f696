"""What NVIDIA's Data Flywheel blueprint would make of a log: its rules for a record, and for a whole run."""
