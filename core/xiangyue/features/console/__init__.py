"""The operator's console on the base domain: counties, their state, sizes and jobs."""
