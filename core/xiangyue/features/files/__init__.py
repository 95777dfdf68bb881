"""Stored files (文件): the one address where they are fetched, and the clearing away of what has expired."""
