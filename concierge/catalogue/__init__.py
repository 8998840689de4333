"""What the house sells: products, their variants, pictures and stock."""
