"""How often the diagnosis names the true cause: planted faults, healthy runs, real programs."""
