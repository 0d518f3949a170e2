"""The linker's database tables and its access to them."""
