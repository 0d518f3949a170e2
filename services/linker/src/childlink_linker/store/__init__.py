"""The linker's tables and what is kept in them."""
