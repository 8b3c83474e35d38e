"""How a network learns: knows networks and samples, and no run."""
