"""Identity values brought into one form before they are encoded. Rules: no I/O."""
