"""Calls in an emergency (叫应): one message to the heads of ten-household groups, each confirms its households, the
village sees who has not been reached. For emergencies and safety only: no roll call, no ranking of who answered."""
