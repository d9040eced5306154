"""What holds of the checkout: start.py, the locks, the README, its style."""
