"""Jobs room: RQ queues that carry their tenant, worker, schedule, progress, and the outbox."""
