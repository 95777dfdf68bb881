"""Tenancy room: which county a host name means, its profile, provisioning, and cross-tenant loops with a reason."""
