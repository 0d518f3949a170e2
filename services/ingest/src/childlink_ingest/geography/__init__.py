"""Areas derived from a postcode, so that the postcode stays at the site."""
