"""The partners of the synthetic partnership: what each of their systems exports."""
