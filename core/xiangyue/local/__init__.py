"""What runs on one bare machine: embedded PostgreSQL and Redis, the demo's supervisor, and set-up helpers.

``servers.running(settings)`` is the door for commands; ``supervise.serve_demo(settings)`` is the demo.
Nothing here is used where XIANGYUE_DATABASE_URL and XIANGYUE_REDIS_URL point at real servers.
"""
