"""Areas (区划): county > town > village > villager group, by the 12-digit division code and 3 digits of the group."""
