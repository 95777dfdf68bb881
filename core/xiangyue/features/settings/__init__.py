"""Settings (设置) of the county: its profile as applied, marks, awards, custom fields."""
