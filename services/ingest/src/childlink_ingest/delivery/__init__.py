"""Sends sealed batches, and reads receipts."""
