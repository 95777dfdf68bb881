# data: zh
"""What a child is called in the register until somebody has given a name."""


def newborn_name(head_name: str) -> str:
    """By the household: ``王德福家新生儿``."""
    return f"{head_name}家新生儿"
