"""Products' own command lines: what each option does to the mechanisms of a technology."""
