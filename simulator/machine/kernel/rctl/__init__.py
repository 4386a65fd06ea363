"""FreeBSD's resource accounting and its limits, racct and rctl: sys/kern/kern_{racct,rctl}.c.

``rules`` are what somebody asked for with rctl(8), ``usage`` is what processes, users and jails
hold, ``enforce`` what happens to whoever wants more than a rule lets it have.
"""
