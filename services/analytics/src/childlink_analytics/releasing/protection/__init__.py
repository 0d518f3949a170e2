"""Small numbers protected, and the protection audited by attacks."""
