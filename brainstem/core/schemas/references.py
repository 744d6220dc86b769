"""Field types for what a record names: other records, and the people who hold roles on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from brainstem.core.permissions import Right, Role
from brainstem.core.resource import as_id


class Ref(fields.Field):
    """One record of another kind, by its id. It must exist, and the actor must hold `right` on it.

    On the way out a value may also be the record itself, where a query includes it.
    """

    def __init__(self, kind: str, *, right: Right = Right.USE, **kwargs: Any) -> None:
        self.kind, self.right = kind, right
        if not kwargs.get("required") and not kwargs.get("dump_only"):
            kwargs |= {"allow_none": True, "load_default": None}
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return str(value) if isinstance(value, UUID) else value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if (found := as_id(value)) is None:
            raise ValidationError("This is not an id.")
        return found


class RefList(fields.Field):
    """Records of another kind, by their ids, in order and without duplicates.

    On the way out a value may also be the records themselves, where a query includes them.
    """

    MOST = 10_000

    def __init__(self, kind: str, *, right: Right = Right.USE, **kwargs: Any) -> None:
        self.kind, self.right = kind, right
        if not kwargs.get("required"):
            kwargs.setdefault("load_default", list)
        super().__init__(**kwargs)

    def _serialize(self, value: list | None, attr: str | None, obj: Any, **kwargs: Any) -> list:
        return [str(each) if isinstance(each, UUID) else each for each in value or ()]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[UUID]:
        if not isinstance(value, list):
            raise ValidationError("This is not a list of ids.")
        if len(value) > self.MOST:
            raise ValidationError(f"At most {self.MOST} ids; these are {len(value)}.")
        ids, seen, errors = [], set(), {}
        for position, each in enumerate(value):
            found = as_id(each)
            if found is None:
                errors[position] = ["This is not an id."]
            elif found in seen:
                errors[position] = ["Named twice."]
            ids.append(found)
            seen.add(found)
        if errors:
            raise ValidationError(errors, valid_data=ids)
        if self.required and not ids:
            raise ValidationError("Name at least one.")
        return ids


class Links(fields.Field):
    """The relation addresses of a record: suffixes of its own address, one for each relation named."""

    def __init__(self, *relations: str, **kwargs: Any) -> None:
        self.relations = relations
        super().__init__(dump_only=True, **kwargs)

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **kwargs: Any) -> dict[str, str]:
        return self._serialize(None, attr, obj)

    def _serialize(self, value: None, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, str]:
        return {name: f"{name}/" for name in self.relations}


class People(fields.Field):
    """Which users or groups hold which role: `{"<name>": {"can_change", "is_manager", "is_owner"}}`.

    In a change, named entries are added or set, `{"remove": true}` removes one, others stay. Loads to
    `{name: Role | None}`, None to remove. Not taken on creation (contract §6).
    """

    MOST = 1_000
    RIGHTS = (
        ("can_change", Role.CONTRIBUTOR),
        ("is_manager", Role.MANAGER),
        ("is_owner", Role.OWNER),
    )

    def __init__(
        self, kind: str, *, rights: tuple[tuple[str, Role], ...] = RIGHTS, **kwargs: Any
    ) -> None:
        self.kind, self.rights = kind, rights
        metadata = {"private": True, "right": Right.MANAGE} | kwargs.pop("metadata", {})
        super().__init__(metadata=metadata, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict:
        return {
            name: {right: role >= least for right, least in self.rights}
            for name, role in value.items()
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict:
        if not isinstance(value, dict):
            raise ValidationError("This is not a JSON object.")
        if len(value) > self.MOST:
            raise ValidationError(f"At most {self.MOST} at once; these are {len(value)}.")
        roles, errors = {}, {}
        known = dict(self.rights)
        for name, rights in value.items():
            if not isinstance(rights, dict) or not all(
                isinstance(v, bool) for v in rights.values()
            ):
                errors[name] = ["This is not an object of rights, each true or false."]
            elif unknown := sorted(rights.keys() - known.keys() - {"remove"}):
                errors[name] = {each: ["Unknown field."] for each in unknown}
            elif rights.get("remove"):
                roles[name] = None
            else:
                held = [known[right] for right, on in rights.items() if on and right in known]
                roles[name] = max(held, default=Role.MEMBER)
        if errors:
            raise ValidationError(errors, valid_data=roles)
        return roles
