"""FreeBSD 14 as a value of a family (being built by the helper "K7 FreeBSD"; K3 leave it to it)."""
