"""Pages of a real JupyterLab in Chromium."""
