"""From logs to better prompts: read the records, count them, look at them.

`reading` reads records, what stands beside this page counts them, `quick` does so in DuckDB, `statistics` tells chance
from change. What is done with the records is a folder each: `alert`, `export` (datasets), `replay`, `retention`, and
`blueprint`, which foretells what NVIDIA's flywheel makes of them.
"""
