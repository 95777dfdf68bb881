"""A plugin's addresses: who is let in, what they show, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask.testing import FlaskClient

from xiangyue.db.paging import encode_cursor
from xiangyue.plugin.addresses import api_prefix, pages_prefix
from xiangyue.testing.conformance.kit import Kit, Laid, none_of
from xiangyue.testing.source import english_page_faults
from xiangyue.testing.statements import counted

#: The core's pages in which a plugin takes part.
CORE_PAGES = ("/", "/cockpit?area=all", "/households?area=all", "/search?q=kit", "/jobs", "/audit", "/roles")


def _wrong(size: int) -> list[list[Any]]:
    one: list[Any] = [1] * (size - 1)
    alike: list[Any] = [None, "x", "x\x00", True, -0.5, {}, [1], 2**63]
    return [*([value] * size for value in alike), ["2026-02-30", *one], [*one, "x"], ["x", *one]]


#: Page markers that no list gave: no marker at all, then wrong kinds and numbers of values.
MARKERS = ("*", *(encode_cursor(*values) for size in (1, 2, 3) for values in _wrong(size)))


class RouteTests:
    def test_strangers_are_refused(self, kit: Kit) -> None:
        """Nobody signed in: 401 or the sign-in page; what is marked public is open by its author's will."""
        laid, client, faults = kit.lay("on", kit.on), kit.on.client(), []
        for rule, method, mark in _closed(kit):
            answer = kit.ask(client, rule, method, kit.address(rule, method, laid.values))
            to_sign_in = answer.status_code == 303 and "/sign-in" in answer.headers.get("Location", "")
            if answer.status_code != 401 and not to_sign_in:
                faults.append(f"{method} {rule.rule} ({mark.who}): {answer.status_code} instead of 401")
        none_of(faults)

    def test_a_missing_right_is_refused(self, kit: Kit) -> None:
        laid, client, faults = kit.lay("on", kit.on), kit.client(kit.on, rights=False), []
        for rule, method, mark in _closed(kit):
            if mark.permission is None:
                faults.append(f"{method} {rule.rule}: open to everybody with an account (@{mark.who})")
                continue
            answer = kit.ask(client, rule, method, kit.address(rule, method, laid.values))
            if answer.status_code != 403:
                faults.append(f"{method} {rule.rule}: {answer.status_code} instead of 403")
        none_of(faults)

    def test_the_other_county_is_not_there(self, kit: Kit) -> None:
        """Its ids are 404, its households stand on no page, and nothing is written there."""
        foreign = kit.lay("other", kit.other)
        before = kit.digest(kit.other)
        faults = _leaks(kit, kit.client(kit.on), foreign)
        none_of(faults)
        assert kit.digest(kit.other) == before, "something was written in the other county"

    def test_outside_my_area_is_not_there(self, kit: Kit) -> None:
        """The same for somebody with every right in another town of the same county."""
        laid = kit.lay("on", kit.on)
        before = kit.digest(kit.on)
        faults = _leaks(kit, kit.client(kit.on, area=kit.village(kit.on, 1)), laid)
        none_of(faults)
        assert kit.digest(kit.on) == before, "something was written outside of the area"

    def test_switched_off_nothing_is_there(self, kit: Kit) -> None:
        laid, client = kit.lay("on", kit.on), kit.client(kit.on)
        stranger, faults = kit.on.client(), []
        with kit.switched_off(kit.on):
            for rule, method, _mark in kit.rules():
                path = kit.address(rule, method, laid.values)
                for who in (client, stranger):
                    status = kit.ask(who, rule, method, path).status_code
                    if status != 404:
                        faults.append(f"{method} {rule.rule}: {status} instead of 404")
            document = client.get("/api/v1/openapi.json").get_data(as_text=True)
            if api_prefix(kit.name) in document:
                faults.append("its API stands in the county's document")
            for path in (*CORE_PAGES, f"/households/{laid.households[0]}"):
                html = client.get(path, follow_redirects=True).get_data(as_text=True)
                faults += [f"{path} leads to it"] if f"{pages_prefix(kit.name)}/" in html else []
        none_of(faults)

    def test_pages_come_whole_and_as_fragments(self, kit: Kit) -> None:
        """Every page answers in both languages, whole and (for htmx) as its content alone; Chinese data is marked."""
        laid, faults = kit.lay("on", kit.on), []
        for locale in ("zh", "en"):
            client = kit.client(kit.on, locale=locale)
            for rule, method, _mark in kit.rules("GET"):
                path = kit.address(rule, method, laid.values)
                answer = client.get(path)
                where = f"{rule.rule} ({locale})"
                if answer.status_code not in (200, 303, 304):
                    faults.append(f"{where}: {answer.status_code}")
                elif answer.mimetype == "text/html" and answer.status_code == 200:
                    faults += _page_faults(where, client, path, answer.get_data(as_text=True), locale)
        none_of(faults)

    def test_more_rows_ask_no_more(self, kit: Kit) -> None:
        """As many statements for three rows as for one, on its own pages and on the core's that it takes part in."""
        one, three = kit.lay("one", kit.on, village=2), kit.lay("three", kit.on, rows=3, village=3)
        faults = []
        clients = {n: kit.client(kit.on, area=kit.village(kit.on, v)) for n, v in ((1, 2), (3, 3))}
        for where, path_of in _reads(kit):
            seen = {n: _statements(clients[n], path_of(laid)) for n, laid in ((1, one), (3, three))}
            if len(seen[3]) > len(seen[1]):
                more = next((s for s in seen[3] if seen[3].count(s) > seen[1].count(s)), "")
                counts = f"{len(seen[1])} statements for 1 row, {len(seen[3])} for 3"
                faults.append(f"{where}: {counts}: {' '.join(more.split())[:200]}")
        none_of(faults)

    def test_page_markers_that_were_never_given_are_refused(self, kit: Kit) -> None:
        """A list tells a made-up cursor from its own: 4xx, or an answer where it looks at none; never a failure."""
        laid, client, faults = kit.lay("on", kit.on), kit.client(kit.on), []
        for rule, method, _mark in kit.rules("GET"):
            path = kit.address(rule, method, laid.values)
            cursors = ("cursor",) if path.startswith("/api/") else ("after", "before", "cursor")
            for name in cursors:
                bad = {marker: client.get(path, query_string={name: marker}).status_code for marker in MARKERS}
                faults += [f"{rule.rule}?{name}={m}: {s} instead of 422" for m, s in bad.items() if s >= 500][:1]
                if name in kit.arguments(rule) and bad[MARKERS[0]] < 400:
                    faults.append(f"{rule.rule}?{name}={MARKERS[0]}: {bad[MARKERS[0]]} instead of 422")
        none_of(faults)

    def test_the_core_stands_and_nothing_is_noted(self, kit: Kit) -> None:
        """Pages of the core with its panels, columns, conditions, cards, hits and work: 200, and no fault recorded."""
        laid, faults = kit.lay("on", kit.on), []
        for locale in ("zh", "en"):
            client = kit.client(kit.on, locale=locale)
            for where, path_of in _core_reads(kit):
                answer = client.get(path_of(laid), follow_redirects=True)
                if answer.status_code != 200:
                    faults.append(f"{where} ({locale}): {answer.status_code}")
                elif locale == "en" and answer.mimetype == "text/html":
                    faults += [f"{where}: unmarked Chinese: {t}" for t in english_page_faults(answer.text)]
        none_of(faults + kit.faults(kit.on))

    def test_openapi_is_valid(self, kit: Kit) -> None:
        """Its part of the document: its own addresses, and what they refer to. The core's part is the core's to try."""
        from openapi_spec_validator import OpenAPIV31SpecValidator

        document = kit.on.client().get("/api/v1/openapi.json").json
        assert document is not None
        part = part_of(document, api_prefix(kit.name))
        faults = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in OpenAPIV31SpecValidator(part).iter_errors()]
        for path, item in part["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict) and not operation.get("summary"):
                    faults.append(f"{method} {path}: its view has no docstring that says what it does")
        none_of(faults)


def part_of(document: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """An OpenAPI document with the paths at or below ``prefix`` alone, and of the components that can be referred to
    those that are, by a path or by one another. A reference to nothing stays one."""
    paths = {path: item for path, item in document["paths"].items() if f"{path}/".startswith(f"{prefix}/")}
    everything = document["components"]
    kept: dict[str, dict[str, Any]] = {"securitySchemes": everything.get("securitySchemes", {})}
    waiting: list[Any] = [paths]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting += node.values()
            kind, _, rest = str(node.get("$ref", "")).removeprefix("#/components/").partition("/")
            name = rest.partition("/")[0]
            if name in everything.get(kind, {}) and name not in kept.setdefault(kind, {}):
                kept[kind][name] = everything[kind][name]
                waiting.append(kept[kind][name])
        elif isinstance(node, list):
            waiting += node
    return {**document, "paths": paths, "components": kept}


def _closed(kit: Kit) -> list[Any]:
    return [item for item in kit.rules() if item[2].who not in ("public", "anywhere")]


def _leaks(kit: Kit, client: FlaskClient, foreign: Laid) -> list[str]:
    """Addresses that answer to ids that are not the reader's, or name a household that is not."""
    faults = []
    for rule, method, _mark in kit.rules():
        if method != "GET" and not rule.arguments:
            continue
        answer = kit.ask(client, rule, method, kit.address(rule, method, foreign.values))
        if rule.arguments and answer.status_code != 404:
            faults.append(f"{method} {rule.rule}: {answer.status_code} instead of 404")
        elif any(name in answer.get_data(as_text=True) for name in foreign.names):
            faults.append(f"{method} {rule.rule}: names a household that is not the reader's")
    return faults


def _page_faults(where: str, client: FlaskClient, path: str, html: str, locale: str) -> Iterator[str]:
    if "<html" not in html:
        yield f"{where}: no whole page; begin the template with {{% extends layout %}}"
    if locale == "en":
        yield from (f"{where}: unmarked Chinese: {text}" for text in english_page_faults(html))
    fragment = client.get(path, headers={"HX-Request": "true"})
    if fragment.status_code != 200:
        yield f"{where}: {fragment.status_code} for htmx"
    elif "<html" in fragment.get_data(as_text=True):
        yield f"{where}: a whole page for htmx; begin the template with {{% extends layout %}}"


def _reads(kit: Kit) -> Iterator[tuple[str, Any]]:
    """(what, path for the rows laid) of everything that can be read of it."""
    for rule, method, _mark in kit.rules("GET"):
        yield rule.rule, lambda laid, rule=rule, method=method: kit.address(rule, method, laid.values)
    yield from _core_reads(kit)


def _core_reads(kit: Kit) -> Iterator[tuple[str, Any]]:
    for path in CORE_PAGES:
        yield path, lambda _laid, path=path: path
    yield "the page of a household", lambda laid: f"/households/{laid.households[-1]}"
    columns = [column.key for column in kit.offered("household_columns")]
    if columns:
        query = f"area=all&cols={','.join(columns)}"
        yield "the list with its columns", lambda _laid: f"/households?{query}"
        yield "the API's list with its columns", lambda _laid: f"/api/v1/households?fields=id,{','.join(columns)}"
    with kit.on.uow() as uow:
        found = [(item.key, str(value)) for item in kit.offered("household_filters") for value, _ in item.choices(uow)]
    for key, value in found:
        yield f"the list by {key}={value}", lambda _laid, q=f"{key}={value}": f"/households?area=all&{q}"


def _statements(client: FlaskClient, path: str) -> list[str]:
    """What reading ``path`` asks the database, once everything that is remembered is remembered.

    The smaller of two readings: now and then one looks whether counties or plugins have changed. What a connection
    prepares for all requests to come is not counted.
    """
    client.get(path, follow_redirects=True).get_data()
    readings = []
    for _time in range(2):
        with counted() as seen:
            client.get(path, follow_redirects=True).get_data()
        readings.append([statement for statement in seen if not statement.startswith("PREPARE ")])
    return min(readings, key=len)
