"""What a lesson asks: one widget for each kind of exercise."""
