"""Reports for the site: profiles, previews, and the account of every row."""
