"""Pages of background jobs (后台任务): progress, cancel, result."""
