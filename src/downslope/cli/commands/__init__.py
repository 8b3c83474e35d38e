"""One file for each command: its options and one call; `main.py` lists them by purpose."""
