"""The Textual app: screens and widgets over pure ``present`` functions."""
