"""Messages that offer to take back what was just done."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, url_for

from brainstem.core import history


def flash_with_undo(text: str, change_id: uuid.UUID | None = None, *, button: str = "Undo") -> None:
    """Say on the next page what was done, with a button that undoes it.

    Without a `change_id` it is what the last operation changed; where that is nothing, the text stands alone.
    """
    change_id = change_id or history.change_id()
    message: dict[str, Any] = {"text": text}
    if change_id is not None:
        message |= {
            "undo_url": url_for("history.undo", change_id=change_id),
            "button": button,
        }
    flash(message, "success")
