"""The demo house: a fictional maison to try everything with."""
