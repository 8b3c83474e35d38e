"""The command line: a door to the engine. Imported by nobody.

A command's own file holds its options and imports the engine only when the command runs, so that
help, version and usage errors answer at once.
"""
