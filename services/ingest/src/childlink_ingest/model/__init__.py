"""Values shared by all packages of ingest."""
