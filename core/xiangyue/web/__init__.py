"""Web room: request pipeline, page shell, components, forms, static assets."""
