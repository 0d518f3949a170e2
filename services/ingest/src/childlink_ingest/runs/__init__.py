"""The use cases of a site: send an extract, withdraw, recover after a restore, verify own rows."""
