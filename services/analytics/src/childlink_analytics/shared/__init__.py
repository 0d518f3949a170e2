"""What releasing writes and answering reads. Imports neither."""
