"""`python -m downslope` is the command line."""

from downslope.cli import start

start()
