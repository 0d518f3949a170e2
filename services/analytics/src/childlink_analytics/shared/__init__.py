"""Code that `releasing` and `answering` share. It imports neither."""
