"""What every page needs: rendering, errors, security, live updates."""
