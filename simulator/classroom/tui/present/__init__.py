"""From a World to lines of text: pure functions, no Textual, tested without a terminal.

Every line carries the key of the row it shows, so that a screen can mark what a step changed by
looking the key up in the step's writes.
"""
