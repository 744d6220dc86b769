"""A form that the database could not take is not lost: the page that says so carries all that was sent.

It is sent again as it was, by a button, to the address that it was sent to. Passwords are not written into
pages: they are asked for anew. A file can't be carried along; it is chosen again.
"""

from __future__ import annotations

import re
from typing import Any

from flask import g, request

#: The names of fields with passwords, also of those beside a form that is carried along.
SECRET = re.compile(r"(_sign_in-)?(current|\w*password)")


def shown() -> dict[str, Any]:
    """What `outage.html` draws: `again` names the way back, `kept` and `secrets` are the form's fields."""
    if request.method != "POST":
        address = request.full_path.rstrip("?")
        return {"again": request.script_root + address, "form": None}
    # Only what this user's own page has sent: nobody else's words are put under her button.
    if not g.get("csrf_valid") or request.files:
        return {"again": None, "form": None}
    kept, secrets = [], []
    for name, value in request.form.items(multi=True):
        if found := SECRET.fullmatch(name):
            label = "Current password" if found[2] == "current" else "Password"
            secrets.append({"name": name, "label": label})
        elif name != "csrf_token":
            kept.append((name, value))
    return {"again": None, "form": {"kept": kept, "secrets": secrets}}
