"""Turn LLM calls into events. Knows nothing about where events go.

There is a door for each kind of caller: `client` for the SDKs that one tool generates, `google`, `foreign` for clients
of other kinds, `function` for decorated functions, and `reported` for what callbacks tell. All end in a `call.Call`;
where it stands around the run of a callable, by a `recorded_run`.
"""
