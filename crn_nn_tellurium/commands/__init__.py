"""`crn-nn`: parses and prints; the only room that imports typer."""
