"""Measures what the house does in a second, each figure beside the bare limit of the same machine in the same run."""
