"""Maps a partner's columns to a dataset: definition, proposal, approval and use of a mapping."""
