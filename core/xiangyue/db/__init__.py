"""Database room: engine, sessions that cannot forget the tenant, unit of work, scoped SQL, RLS DDL, migrations.

``scope`` says which tenant and which areas a session reaches; ``session`` adds it to every ORM statement and sets
it for PostgreSQL's row-level security; ``sql`` is the one door for hand-written SQL; ``uow`` bundles a session with
the actor and what must happen after the commit.
"""
