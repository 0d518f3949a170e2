"""What tests share: real brokers and databases, and small partnerships."""
