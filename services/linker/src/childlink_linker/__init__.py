"""The linker: assigns child, adult and family identifiers from encodings alone.

Rules: `compare`, `assign`, `families`. Use case: `link_batch`. Adapters: `store`, `server`. Composition: `app`.
"""
