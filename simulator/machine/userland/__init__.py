"""Programs made of system calls and nothing else: a shell, ps, ls, mount, ip ..."""
