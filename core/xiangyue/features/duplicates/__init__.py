"""Duplicates (疑似重复): records that may be the same person or household, found, looked at side by side, merged."""
