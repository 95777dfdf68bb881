"""Households (户) and the persons (人) in them: marks, yearly income and awards, custom fields, search by name."""
