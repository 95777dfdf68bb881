"""Kinds of organisations, their posts and exclusions of a county: those of the core, and what its profile says."""

from __future__ import annotations

from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.organisations import policy
from xiangyue.features.organisations.kinds import core_kinds
from xiangyue.features.organisations.models import OrganisationKind, PostExclusion, PostKind
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_organisations import OrganisationsSpec
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change
from xiangyue.tenancy.sync import sync_rows


@acts(policy.EDIT)
def apply_kinds(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """Those of the core but those that the profile goes without, then the county's own: one with a key of the core's
    takes its place. What is no longer named is out of use; organisations that stand keep their posts.

    Raises Invalid for an unknown key in ``without`` or in an exclusion.
    """
    own = profile.organisations or OrganisationsSpec()
    core = core_kinds()
    found = {kind.key: kind for kind in core.kinds}
    if unknown := [key for key in own.without if key not in found]:
        raise Invalid({"organisations.without": [_l("There is no such kind: %(key)s.", key=unknown[0])]})
    found = {key: kind for key, kind in found.items() if key not in own.without}
    found |= {kind.key: kind for kind in own.kinds}
    kinds: dict[Any, dict[str, Any]] = {}
    posts: dict[Any, dict[str, Any]] = {}
    for place, kind in enumerate(found.values()):
        kinds[kind.key] = {
            "name": kind.name_zh,
            "name_en": kind.name_en,
            "family": kind.family,
            "levels": list(kind.levels),
            "term_years": kind.term_years,
            "least": kind.least,
            "most": kind.most,
            "source": kind.source,
            "card": kind.card,
            "position": place,
        }
        for number, post in enumerate(kind.posts):
            posts[f"{kind.key}.{post.key}"] = {
                "kind_key": kind.key,
                "name": post.name_zh,
                "name_en": post.name_en,
                "seats_min": post.min,
                "seats_max": post.max,
                "lead": post.lead,
                "position": number,
            }
    rules: dict[Any, dict[str, Any]] = {}
    for rule in (*core.exclusions, *own.exclusions):
        if any(key not in found for key in (rule.first, rule.second)):
            if rule in own.exclusions:
                text = _l("An exclusion names a kind that there is not: %(key)s.", key=f"{rule.first}/{rule.second}")
                raise Invalid({"organisations.exclusions": [text]})
            continue
        rules[f"{rule.first}/{rule.second}"] = {
            "first": rule.first,
            "second": rule.second,
            "near_relatives": rule.near_relatives,
            "leads_only": rule.leads_only,
            "source": rule.source,
        }
    return [
        *sync_rows(uow, OrganisationKind, "key", kinds, label="kind of organisation"),
        *sync_rows(uow, PostKind, "key", posts, label="post"),
        *sync_rows(uow, PostExclusion, "key", rules, label="exclusion", name="key"),
    ]
