"""From a canonical row to two halves that share no reference, and to encodings."""
