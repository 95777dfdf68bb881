"""The cockpit (驾驶舱): counts by town with a way down to the rows."""
