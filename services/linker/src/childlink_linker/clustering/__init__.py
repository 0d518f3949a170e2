"""Which records are one person, and which people one family. Rules: no I/O."""
