"""What tests are written with: kernels, browsers, checkouts."""
