"""The one transport: sealed batches over Kafka, read in order, once in effect.

`ports` says what a bus is, `kafka` and `memory` are its two adapters, `stream_state` keeps a
service's place in each stream in the service's own database, and `processor` is the loop that ties
them in one transaction. Ingest uses the first three.
"""
