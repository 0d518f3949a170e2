"""Analytics: stores linked observations, cuts protected releases of them, and answers questions
from the releases alone.

Rules: `measures`, `question`, `disclosure`, `rounding`, `attack`. Use cases: `cut_release`,
`answer`. Adapters: `store`, `counting`, `releases`, `server`. Composition: `app`.
"""
