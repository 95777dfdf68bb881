"""Errands (村级便民代办): what a village cadre fetches, pays or hands in for a household, and whether it is done.

The example plugin of Xiangyue: small, whole, and using every hook. Read ``plugin.py`` first.
"""
