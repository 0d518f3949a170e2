"""Ingest: the only part of childlink that sees identifiers. It runs at a partner's site.

Rules: `standardise`, `mapping`, `eligibility`, `geography`, `pseudonymise`. Adapters: `readers`,
`spool`, `delivery`. Use cases: `runs`. Composition: `app`; commands: `cli`.
"""
