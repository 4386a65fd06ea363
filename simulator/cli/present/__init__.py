"""Results as people and programs read them: tables, traces, matrices in four formats."""
