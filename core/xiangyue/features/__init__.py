"""Features, one folder a noun, each registered through the same hooks that plugins use."""
