"""Concierge: named editors answer customers' mail for a fashion house."""

__version__ = "0.1.0"
