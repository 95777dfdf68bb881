"""Boundaries of grids: a GeoJSON file read with its faults, matched to grids, and what does not fit between neighbours.

Geometries are GeoJSON in degrees of WGS 84, which CGCS2000 equals within centimetres. shapely is imported where it is
used: most processes never draw a map.
"""
