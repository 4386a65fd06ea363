"""What a product does when nobody says otherwise, as data."""
