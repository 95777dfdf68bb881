# data: zh
"""The operator's own tenant: its slug and names."""

SLUG = "operator"
NAME = "乡约运营"
NAME_EN = "Xiangyue operations"
