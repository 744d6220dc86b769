"""The links at the top of every page."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import request, url_for
from flask_login import current_user

from brainstem.core.permissions import PUBLIC
from brainstem.core.resource import Resource, registry
from brainstem.views import parts, show

Link = dict[str, Any]


def kinds() -> list[Resource]:
    """The kinds that have a place in the navigation, in its order."""
    return sorted((kind for kind in registry if kind.nav), key=lambda kind: kind.nav)


def shown() -> dict[str, Any]:
    """What the templates draw: links of their own, then a menu of links under headings."""
    public = show.in_public()
    nav: dict[str, Any] = {"public": public, "links": [], "menu": [], "in_menu": False}
    if not (public or current_user.is_authenticated):
        return nav
    known = [kind for kind in kinds() if not public or PUBLIC.portal in kind.portals]
    here = _kind_here()
    links = {kind: _link(kind.labels, show.list_url(kind), kind is here) for kind in known}
    home = _at("public.home") if public else _at("home.dashboard")
    nav["links"] = [
        _link("Overview" if public else "Dashboard", home, request.path == home),
        *(link for kind, link in links.items() if not kind.menu),
    ]
    headings: dict[str, list[Link]] = {}
    for kind, link in links.items():
        if kind.menu:
            headings.setdefault(kind.menu, []).append(link)
    if not public:
        people = _at("people.index")
        headings.setdefault("People", []).append(
            _link("Users", people, f"{request.path}/".startswith(people))
        )
        if current_user.is_admin:
            status = _at("status.index")
            headings["People"].append(_link("Status", status, request.path == status))
            audit = _at("audit.index")
            headings["People"].append(_link("Audit log", audit, request.path == audit))
        own = _at("account.own")
        headings["People"].append(_link("Your account", own, request.path == own))
    headings["For everybody"] = [_link("API reference", f"{request.script_root}/api/", False)]
    if not public:
        headings["For everybody"].insert(0, _link("Public view", _at("public.home"), False))
        activity = _at("history.recent")
        headings["For everybody"].insert(0, _link("Activity", activity, request.path == activity))
    nav["menu"] = [{"heading": name, "links": each} for name, each in headings.items()]
    nav["in_menu"] = any(link["active"] for each in headings.values() for link in each)
    return nav


def _at(endpoint: str) -> str:
    return _built(request.script_root, endpoint)


@lru_cache(1000)
def _built(root: str, endpoint: str) -> str:
    """An address below the `root` of this request, built but once."""
    return url_for(endpoint)


def _link(label: str, url: str, active: bool) -> Link:
    return {"label": label, "url": url, "active": active}


def _kind_here() -> Resource | None:
    """The kind in the navigation that the page belongs to."""
    place = (request.view_args or {}).get("kind")
    kind = next((each for each in registry if place and each.page == f"/{place}"), None)
    return kind and parts.top_of(kind)
