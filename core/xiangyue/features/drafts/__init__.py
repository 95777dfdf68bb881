"""Drafts (方案) of how a village is divided into grids: made by the planner or from what is, changed by hand, compared,
approved by the town and put in force on a day."""
