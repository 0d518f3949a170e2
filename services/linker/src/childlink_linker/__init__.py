"""The linker assigns child, adult and family identifiers. It works from encodings alone.

Rules (no I/O): `matching`, `clustering`, `store.replay`. Use cases: `linking`, `relinking`,
`review`. Adapters: `store`, `server`, `review.page`, `relinking.spark_engine`. Composition root:
`app`.
"""
