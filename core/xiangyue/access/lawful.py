"""On what ground personal information is kept and used (个人信息保护法 第十三条).

Every import says which of the seven it rests on; what rests on consent alone goes when the consent is withdrawn.
"""

from __future__ import annotations

from typing import Any

from xiangyue.i18n import lazy_gettext as _l

#: Key -> words, in the order of the article's seven items.
BASES: dict[str, Any] = {
    "consent": _l("Consent of the persons (PIPL article 13, item 1)"),
    "contract": _l("Needed for a contract with the persons (item 2)"),
    "duty": _l("Statutory duty or obligation (item 3)"),
    "emergency": _l("Public health event or emergency (item 4)"),
    "public_interest": _l("News and supervision in the public interest (item 5)"),
    "published": _l("Made public lawfully or by the persons themselves (item 6)"),
    "law": _l("Another law or regulation (item 7)"),
}

#: What a village and its county nearly always act on.
USUAL = "duty"
