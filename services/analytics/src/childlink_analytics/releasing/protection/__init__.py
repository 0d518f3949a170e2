"""Protects small numbers, and audits the protection with attacks."""
