"""What the files in deploy/ promise: they name settings, metrics and paths that exist."""
