"""The use case of a micro-batch: records in, links out."""
