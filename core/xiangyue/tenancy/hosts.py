"""What a county may be called on the net: its slug, and host names of its own."""

from __future__ import annotations

import ipaddress
import re

from xiangyue.i18n import _

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SLUG = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")

# Names that people expect to mean the deployment itself, or that would collide with its own addresses.
RESERVED_SLUGS = frozenset(
    {
        *(
            "admin",
            "api",
            "app",
            "apps",
            "assets",
            "auth",
            "cdn",
            "console",
            "docs",
            "files",
            "ftp",
            "healthz",
        ),
        *(
            "help",
            "imap",
            "localhost",
            "login",
            "mail",
            "media",
            "metrics",
            "mx",
            "ns",
            "ns1",
            "ns2",
            "operator",
        ),
        *("pop", "public", "readyz", "root", "smtp", "sso", "static", "status", "support", "system", "www"),
        "xiangyue",
    }
)


def slug_fault(slug: str) -> tuple[str, str] | None:
    """Message and suggestion when ``slug`` cannot be a county's host label; None when it can."""
    if slug in RESERVED_SLUGS:
        message = _("'%(slug)s' is reserved for the deployment itself", slug=slug)
        return message, _("use the county's name in pinyin")
    if _SLUG.fullmatch(slug) and "--" not in slug:
        return None
    message = _(
        "'%(slug)s' is not a host label: a letter, then up to 62 small letters, digits or single hyphens",
        slug=slug,
    )
    mended = re.sub(r"-+", "-", re.sub(r"[^a-z0-9]+", "-", slug.lower())).strip("-")[:63].strip("-")
    mended = re.sub(r"^[^a-z]+", "", mended)
    if mended and mended not in RESERVED_SLUGS:
        return message, _("did you mean '%(word)s'?", word=mended)
    return message, _("use the county's name in pinyin")


def host_fault(host: str, *, slug: str = "", base_domain: str | None = None) -> tuple[str, str] | None:
    """Message and suggestion when ``host`` cannot be a county's own host name; None when it can.

    A name under ``base_domain`` belongs to the county whose slug it begins with, so no profile may list one.
    """
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", host.strip().lower()).split("/")[0]
    bare = re.sub(r":\d*$", "", bare).rstrip(".")
    if not _is_host(host):
        message = _("'%(host)s' is not a host name", host=host)
        if bare != host and _is_host(bare):
            return message, _("did you mean '%(word)s'?", word=bare)
        return message, _("write a full domain in small letters, without scheme, port or path")
    if base_domain and (host == base_domain or host.endswith(f".{base_domain}")):
        if slug and host == f"{slug}.{base_domain}":
            return _("'%(host)s' is the county's address already", host=host), _("leave it out")
        message = _("'%(host)s' lies under the base domain '%(base)s'", host=host, base=base_domain)
        return message, _("list only domains of the county's own")
    return None


def _is_host(host: str) -> bool:
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return not labels[-1].isdigit()
    return False
