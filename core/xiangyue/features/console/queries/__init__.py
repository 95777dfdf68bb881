"""Reads of the console: the directory of counties, each county's numbers, and profiles."""
