"""Access room: actor, accounts, roles, permission objects, area scope, sessions, tokens, keys, audit trail."""
