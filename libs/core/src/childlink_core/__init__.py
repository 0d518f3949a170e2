"""Conventions and formats that the childlink services share.

Contracts (`profiles`), keys (`keys`, `directory`), the sealed batch (`envelope`, `streams`,
`capsule`), identifiers (`references`, `ids`), and conventions that every service follows (`errors`,
`settings`, `logs`, `topics`). Nothing here talks to Kafka, a database or gRPC.
"""

__version__ = "0.2.0"
