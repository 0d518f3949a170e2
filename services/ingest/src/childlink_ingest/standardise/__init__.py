"""Normalises identity values before they are encoded. No I/O."""
