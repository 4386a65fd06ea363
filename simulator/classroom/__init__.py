"""What a person sees: the terminal app, its page in a browser, the lessons."""
