"""The Engine API: one module a subject, each a table of routes over the engine."""
