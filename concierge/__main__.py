"""Lets `python -m concierge` be the `concierge` command."""

from concierge.cli import main

main()
