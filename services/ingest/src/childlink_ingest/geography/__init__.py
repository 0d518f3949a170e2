"""Derives areas from a postcode. The postcode itself stays at the site."""
