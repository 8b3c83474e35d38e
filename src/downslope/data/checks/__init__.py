"""What would make figures too good: copies, leaks, groups."""
