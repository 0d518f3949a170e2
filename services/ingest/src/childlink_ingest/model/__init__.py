"""The values that every room of ingest passes along."""
