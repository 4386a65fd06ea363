"""The message catalogues, one folder a language; ``python -m simulator.locale`` refreshes them."""
