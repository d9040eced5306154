"""What the kit costs, measured against a baseline in the same run."""
