"""A POSIX shell in the manner of busybox ash: words, parser, expansion, evaluation, builtins."""
