"""What two or more childlink services must agree on.

Contracts (`datasets`, `profiles`), keys (`keys`, `directory`), the sealed batch (`envelope`,
`streams`, `capsule`), identifiers (`references`, `ids`), and the few conventions every service
keeps (`errors`, `settings`, `logs`, `topics`). Nothing in here talks to Kafka, a database or gRPC.
"""

__version__ = "0.2.0"
