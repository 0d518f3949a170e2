"""What the site is shown: profiles, previews, the account of every row."""
