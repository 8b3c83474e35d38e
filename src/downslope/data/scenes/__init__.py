"""The generator of crowd scenes."""
