"""What waits for a data steward, and why records are one person."""
