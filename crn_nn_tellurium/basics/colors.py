"""Colours of signs in pictures, whoever draws them: apart for the colour-blind too.

The two ends of the scale RdBu (colorbrewer2.org).
"""

MORE, LESS = "#2166ac", "#b2182b"
"""What makes more, or is above zero, and what takes away, or is below."""
