"""The linker: assigns child, adult and family identifiers from encodings alone.

Rules: `block`, `compare`, `model`, `assign`, `families`, `decisions`, `replay`. Use cases:
`link_batch`, `relink`, `review`, `own_checks`; people come in through `desk`. Adapters: `store`,
`server`, `page`, `spark_relink`. Composition: `app`.
"""
