"""Parameter scans: see `scanning.scan`."""
