"""How templates are drawn."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping
from typing import Any

from flask.templating import Environment


class Templates(Environment):
    """Flask's, with what all templates know in a plain dict.

    Jinja would look through a chain of two whenever a template imports from another one, the first of them
    empty: 0.2 of the 5 ms of a list. No template is given any of its own here.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return ChainMap(d, self.globals) if d else self.globals
