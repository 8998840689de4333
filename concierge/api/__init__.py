"""The JSON API for the shop: stock, returns, orders, wishes; each caller with a key of its own."""
