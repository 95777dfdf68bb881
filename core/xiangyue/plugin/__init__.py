"""Plugin room: hook specifications, the things that ``register_*`` hooks return, and the manager.

The core's features register through the same hooks as plugins.
"""
