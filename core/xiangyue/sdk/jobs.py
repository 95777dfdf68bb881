"""Background jobs: putting one in the queue, and what a running one holds."""

from __future__ import annotations

from xiangyue.jobs.context import JobCancelled, JobContext
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job

__all__ = ["Job", "JobCancelled", "JobContext", "enqueue_job"]
