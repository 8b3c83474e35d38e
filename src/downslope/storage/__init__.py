"""What lasts: files that are whole or absent, in formats that anybody can read."""
