"""Mail in: kept as bytes before anyone understands it, then read and filed."""
