"""docker(1): the client, a program of the simulated machine. It speaks HTTP to dockerd's socket.

``wire`` carries requests, ``flags`` reads the command line as the real client does, ``main`` finds
the command; ``running`` has run, create, start, exec, attach; ``listing`` what prints tables;
``changing`` the rest. Messages and exit statuses are the real client's (docker/cli).
"""
