"""The audit trail (审计): who did what, sealed into a hash chain."""
