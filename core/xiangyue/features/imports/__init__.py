"""Import of spreadsheets: upload, check by cell, dry run, commit as a job; the roster (花名册) is the first
kind.
"""
