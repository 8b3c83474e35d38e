"""From the columns of a table to samples."""
