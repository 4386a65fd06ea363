"""The screens in a browser: one process of the application for each visitor."""
