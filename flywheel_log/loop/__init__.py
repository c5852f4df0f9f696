"""From logs to better prompts: read the records, count them, look at them.

`sources` and what stands beside this page read records and count them, `quick` counts in DuckDB, `statistics` tells
chance from change. What is done with the records is a folder each: `alert`, `export` (datasets), `replay`,
`retention`, and `blueprint`, which foretells what NVIDIA's flywheel makes of them.
"""
