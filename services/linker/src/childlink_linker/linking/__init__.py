"""The use case of a micro-batch: takes records in and sends links out."""
