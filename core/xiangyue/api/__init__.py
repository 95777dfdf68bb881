"""API room: flask-smorest confined to /api/v1, pagination, conditional requests, the OpenAPI document."""
