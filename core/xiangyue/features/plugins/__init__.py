"""Plugins of a county and of the deployment: what is installed, which county has it on, its settings and its faults."""
