"""The report: the story of a run as one HTML file that needs nothing else."""
