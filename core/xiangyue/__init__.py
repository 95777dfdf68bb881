"""Xiangyue (乡约): the software a county runs its villages on."""

__version__ = "0.1.0"
