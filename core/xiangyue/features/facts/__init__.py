"""Conflicting values (冲突值): what an import says otherwise than what somebody put right by hand, decided here."""
