"""Puts the views of version 1 onto its blueprint, and the blueprint onto the application."""

from concierge.api.v1 import description, orders, products, stock, wishes
from concierge.api.v1.callers import init_app

__all__ = ["description", "init_app", "orders", "products", "stock", "wishes"]
