"""Classifications (分类): what a rule proposes for each household, who confirmed it, and why.

Knows no rule of its own: plugins bring classifiers (``register_classifiers``). Never public: no route of this feature
is open to somebody without an account, and no other feature may show an outcome on a public page.
"""
