"""Asking a sandbox a question and judging the answer."""
