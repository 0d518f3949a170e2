"""Shared helpers of the tests: real brokers and databases, and small partnerships."""
