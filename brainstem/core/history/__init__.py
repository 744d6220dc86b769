"""What was changed, by whom and when: written in the transaction of the change itself.

A `Change` is all that one operation did, an import of a thousand rows as much as a corrected typing error.
It has a `Revision` for each record: the fields that differ, before and after, on the wire; of a new
record all of them after, of a deleted one all of them before. So the present state and the revisions
since give every earlier state, and `core/restoring.py` can go back to it.

Who may see a revision: who may read one of the records that it took its rights from (a session's
projects, say), kept as its roots, for the record itself may be gone; and the record, where it is not.
"""

from brainstem.core.history.deletion import deleting, taken_along
from brainstem.core.history.models import (
    CHANGE,
    CREATE,
    DELETE,
    Change,
    Revision,
    change_root,
    revision_root,
)
from brainstem.core.history.noting import change_id, describe, noted
from brainstem.core.history.reading import (
    TOLD,
    authors,
    changed_by,
    gone,
    of_record,
    recent,
    revisions,
    visible,
)
from brainstem.core.history.states import state
from brainstem.core.history.writing import changing, changing_owner, created

__all__ = [
    "CHANGE",
    "CREATE",
    "DELETE",
    "TOLD",
    "Change",
    "Revision",
    "authors",
    "change_id",
    "change_root",
    "changed_by",
    "changing",
    "changing_owner",
    "created",
    "deleting",
    "describe",
    "gone",
    "noted",
    "of_record",
    "recent",
    "revision_root",
    "revisions",
    "state",
    "taken_along",
    "visible",
]
