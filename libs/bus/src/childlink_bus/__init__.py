"""The one transport: sealed batches over Kafka, read in order, once in effect.

`ports` says what a bus is, `kafka` and `memory` are its two adapters, `ledger` keeps a service's place in each stream
in the service's own database, and `pump` is the loop that ties them in one transaction. Ingest uses the first three.
"""
