"""What learns: layers, networks and losses."""
