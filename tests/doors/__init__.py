"""What every door to the records keeps: one contract, run through each of them, and the table of what is shown."""
