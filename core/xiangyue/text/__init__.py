"""Reading and normalising what people type: citizen numbers, names, dates, phones, national codes, pinyin.

Knows nothing of databases, requests or tenants. Functions raise `problems.TextProblem` with a code and a
translated message, or answer with a plain value.
"""
