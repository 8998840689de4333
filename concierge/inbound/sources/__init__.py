"""The entrances mail comes in by."""
