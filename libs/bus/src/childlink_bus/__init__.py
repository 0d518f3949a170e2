"""The transport: sealed batches over Kafka, read in order, each with effect exactly once.

`ports` defines the bus interface; `kafka` and `memory` are its two adapters. `stream_state` stores
a service's position in each stream in the service's own database. `stream_processor` is the loop
that updates all of them in one transaction. Ingest uses the first three modules.
"""
