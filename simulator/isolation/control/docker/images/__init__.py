"""Images: references, layers, the store on disk, the registry they come from."""
