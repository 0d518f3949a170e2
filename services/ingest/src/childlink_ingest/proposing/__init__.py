"""Proposes a mapping for an extract that childlink has not seen, and asks what is uncertain."""
