"""From a World to lines of text: pure functions, no Textual, tested without a terminal."""
