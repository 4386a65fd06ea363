"""HTTP over a descriptor, routes, hijacked streams: nothing here knows what a container is."""
