"""Ingest: the only part of childlink that ever sees an identifier. Runs inside a partner.

Rules: `normalise`, `mapping`, `split`, `encode`. Use case: `send_extract`. Adapters: `readers`,
`spool`, `exchange`. Composition: `app`; commands: `cli`.
"""
