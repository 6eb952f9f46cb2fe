"""Trained networks from other libraries, one file per source."""
