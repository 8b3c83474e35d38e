"""What each kind of file is read by."""
