"""Sealed batches out, receipts in."""
