"""The links at the top of every page."""

from __future__ import annotations

from typing import Any

from flask import request
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
    nav["search_url"] = show.at("search.public_results" if public else "search.results")
    known = [kind for kind in kinds() if not public or PUBLIC.portal in kind.portals]
    here = _kind_here()
    links = {kind: _link(kind.labels, show.list_url(kind), kind is here) for kind in known}
    home = show.at("public.home") if public else show.at("home.dashboard")
    nav["links"] = [
        _link("Overview" if public else "Dashboard", home, request.path == home),
        *(link for kind, link in links.items() if not kind.menu),
    ]
    headings: dict[str, list[Link]] = {}
    for kind, link in links.items():
        if kind.menu:
            headings.setdefault(kind.menu, []).append(link)
    if not public:
        users = show.at("users.index")
        headings.setdefault("People", []).append(
            _link("Users", users, f"{request.path}/".startswith(users))
        )
        if current_user.is_admin:
            status = show.at("status.index")
            headings["People"].append(_link("Status", status, request.path == status))
            audit = show.at("audit.index")
            headings["People"].append(_link("Audit log", audit, request.path == audit))
        own = show.at("account.own")
        headings["People"].append(_link("Your account", own, request.path == own))
    headings["For everybody"] = [_link("API reference", f"{request.script_root}/api/", False)]
    if not public:
        headings["For everybody"].insert(0, _link("Public view", show.at("public.home"), False))
        activity = show.at("history.recent")
        headings["For everybody"].insert(0, _link("Activity", activity, request.path == activity))
    nav["menu"] = [{"heading": name, "links": each} for name, each in headings.items()]
    nav["in_menu"] = any(link["active"] for each in headings.values() for link in each)
    return nav


def _link(label: str, url: str, active: bool) -> Link:
    return {"label": label, "url": url, "active": active}


def _kind_here() -> Resource | None:
    """The kind in the navigation that the page belongs to."""
    place = (request.view_args or {}).get("kind")
    kind = next((each for each in registry if place and each.page == f"/{place}"), None)
    return kind and parts.top_of(kind)
