"""One file for each chapter of the path; `path.py` finds them here."""
