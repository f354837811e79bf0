"""What people see: consoles, progress bars and pictures."""
