"""Calls to copy, in three languages, with the reader's own address; made from a kind's schema."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from marshmallow import fields, validate

from brainstem.core.openapi.fields import TO_LOOK_UP, kind_of
from brainstem.core.resource import Resource
from brainstem.core.schemas import Ref, RefList, Text

LANGUAGES = {"curl": "curl", "python": "Python", "matlab": "MATLAB"}

#: The kinds that the official clients (2.0.0) know where to find; others take a plain request.
IN_CLIENTS = frozenset(
    {"project", "subject", "session", "collection", "cohort", "procedure", "behavior"}
    | {"dataacquisition", "manipulation", "equipment", "subjectlog", "behavioralassay"}
    | {"datastorage", "setup", "user"}
)

Example = dict[str, Any]


def connecting(server: str) -> Example:
    """How each language gets hold of the API; `server` is its address, with a slash at the end."""
    return _example(
        "Connect",
        curl=f"export BRAINSTEM_TOKEN=bst_…\n{_curl(f'{server}api/')}",
        python="# pip install brainstem_python_api_tools\n"
        "from brainstem_api_tools import BrainstemClient\n\n"
        f'client = BrainstemClient(url="{server}")                  # opens the browser to sign in\n'
        f'client = BrainstemClient(url="{server}", token="bst_…")   # or with a token',
        matlab="% brainstem_matlab_api_tools on the path\n"
        f"client = BrainstemClient('url', '{server}');                     % opens the browser\n"
        f"client = BrainstemClient('url', '{server}', 'token', 'bst_…');   % or with a token",
    )


def of(resource: Resource, server: str) -> list[Example]:
    """What can be done with a kind."""
    calls = _Calls(resource, server)
    found = [calls.find(), calls.read()]
    return found if resource.read_only else [*found, calls.create(), calls.change(), calls.delete()]


def sample(resource: Resource) -> dict[str, Any]:
    """What it takes at least to create a record, to be filled in."""
    declared = resource.schema._declared_fields
    return {name: value_for(name, field) for name, field in declared.items() if field.required}


def value_for(name: str, field: fields.Field) -> Any:
    """An example of a field's value."""
    for rule in field.validators:
        if isinstance(rule, validate.OneOf):
            return next(iter(rule.choices))
    if isinstance(field, Ref):
        return f"<{field.kind} id>"
    if isinstance(field, RefList):
        return [f"<{field.kind} id>"]
    return f"My {name}" if isinstance(field, Text) else kind_of(field).example


class _Calls:
    """The calls for one kind."""

    def __init__(self, resource: Resource, server: str) -> None:
        self.resource, self.name = resource, resource.name
        self.address = f"{server}api/private/{resource.app}/{resource.name}/"
        self.record = f"<{self.name} id>"
        self.clients = self.name in IN_CLIENTS
        declared = resource.schema._declared_fields
        relations = [name for name, field in resource.schema.references()]
        texts = [n for n, f in declared.items() if isinstance(f, Text) and not f.validate]
        self.filter = (f"{texts[0]}.icontains", "rat") if texts else (relations[0], TO_LOOK_UP)
        self.sort = resource.sort[0]
        self.include = relations[:1]

    def find(self) -> Example:
        """A list."""
        field, value = self.filter
        query = [f"filter{{{field}}}={quote(value)}", f"sort[]=-{self.sort}"]
        query += [f"include[]={each}.*" for each in self.include]
        include = f",\n    include={json.dumps(self.include)}" if self.include else ""
        cells = f", ...\n    'include', {_matlab(self.include)}" if self.include else ""
        return self._example(
            "Find some, with what belongs to them" if self.include else "Find some",
            f"{self.address}?{'&'.join(query)}",
            python=f'response = client.load(\n    "{self.name}",\n'
            f"    filters={json.dumps(dict([self.filter]))},\n"
            f'    sort=["-{self.sort}"]{include},\n)\n'
            f'records = response.json()["{self.resource.keys}"]',
            matlab=f"out = client.load('{self.name}', ...\n"
            f"    'filter', {_matlab(list(self.filter))}, ...\n"
            f"    'sort', {_matlab(['-' + self.sort])}{cells});\n"
            f"records = out.{self.resource.keys};",
        )

    def read(self) -> Example:
        """One record."""
        return self._example(
            "Read one",
            f"{self.address}{self.record}/",
            python=f'response = client.load("{self.name}", id="{self.record}")\n'
            f'record = response.json()["{self.resource.key}"]',
            matlab=f"out = client.load('{self.name}', 'id', '{self.record}');\n"
            f"record = out.{self.resource.key};",
        )

    def create(self) -> Example:
        """A new record."""
        data = sample(self.resource)
        return self._example(
            "Create one",
            self.address,
            "POST",
            data,
            python=f'response = client.save("{self.name}", data={_python(data)})\n'
            f'record = response.json()["{self.resource.key}"]',
            matlab=f"{_assigned('data', data)}\nout = client.save(data, '{self.name}');",
        )

    def change(self) -> Example:
        """A record changed."""
        data = self._changed()
        return self._example(
            "Change a field",
            f"{self.address}{self.record}/",
            "PATCH",
            data,
            python=f'client.save("{self.name}", id="{self.record}", data={_python(data)})',
            matlab=_assigned("data", {"id": self.record} | data)
            + f"\nclient.save(data, '{self.name}', 'method', 'patch');",
        )

    def delete(self) -> Example:
        """A record deleted."""
        return self._example(
            "Delete one",
            f"{self.address}{self.record}/",
            "DELETE",
            python=f'client.delete("{self.name}", id="{self.record}")',
            matlab=f"client.delete('{self.record}', '{self.name}');",
        )

    def _changed(self) -> dict[str, Any]:
        """A field that one is likely to change: the first that can be left out."""
        declared = self.resource.schema(way="api").fields
        free = [name for name, each in declared.items() if not (each.required or each.dump_only)]
        return {name: value_for(name, declared[name]) for name in free[:1]}

    def _example(
        self,
        title: str,
        place: str,
        method: str = "GET",
        data: dict[str, Any] | None = None,
        *,
        python: str,
        matlab: str,
    ) -> Example:
        if not self.clients:
            python, matlab = _requests(place, method, data), _webread(place, method, data)
        return _example(title, curl=_curl(place, method, data), python=python, matlab=matlab)


def _example(
    self,
    title: str,
    *,
    curl: str,
    python: str,
    matlab: str,
    data: dict[str, Any] | None = None,
    method: str = "GET",
) -> Example:
    if not self.clients:
        place = curl.split('"')[-2] if data is None else curl.split('"')[3]
        python, matlab = _requests(place, method, data), _webread(place, method, data)
    return _example(title, curl=curl, python=python, matlab=matlab)


def _example(title: str, **texts: str) -> Example:
    blocks = [
        {"language": name, "label": label, "text": texts[name]} for name, label in LANGUAGES.items()
    ]
    return {"title": title, "blocks": blocks}


def _curl(address: str, method: str = "GET", data: dict[str, Any] | None = None) -> str:
    options = [] if method == "GET" else ["-X", method]
    # Braces and brackets would be patterns to curl.
    options += ["-g"] if "{" in address else []
    lines = [" ".join(["curl", *options, '-H "Authorization: Bearer $BRAINSTEM_TOKEN"'])]
    if data is not None:
        lines.append(f"  -H 'Content-Type: application/json' -d '{_json(data)}'")
    return " \\\n".join([*lines, f'  "{address}"'])


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False).replace("'", "'\\''")


def _python(data: dict[str, Any]) -> str:
    entries = "".join(f"\n    {json.dumps(name)}: {value!r}," for name, value in data.items())
    return f"{{{entries}\n}}"


def _assigned(variable: str, data: dict[str, Any]) -> str:
    return "\n".join(f"{variable}.{name} = {_matlab(value)};" for name, value in data.items())


def _matlab(value: Any) -> str:
    if isinstance(value, list):
        return f"{{{', '.join(map(_matlab, value))}}}"
    if isinstance(value, dict):
        pairs = ", ".join(f"'{name}', {_matlab(each)}" for name, each in value.items())
        return f"struct({pairs})"
    if isinstance(value, bool):
        return str(value).lower()
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else json.dumps(value)


def _requests(address: str, method: str, data: dict[str, Any] | None) -> str:
    more = f",\n    json={_python(data)}" if data is not None else ""
    return (
        "import os, requests\n\n"
        'headers = {"Authorization": f"Bearer {os.environ[\'BRAINSTEM_TOKEN\']}"}\n'
        f'response = requests.{method.lower()}(\n    "{address}",\n    headers=headers{more},\n)'
    )


def _webread(address: str, method: str, data: dict[str, Any] | None) -> str:
    lines = ["token = ['Bearer ' getenv('BRAINSTEM_TOKEN')];"]
    options = f"'HeaderFields', {{'Authorization', token}}, 'RequestMethod', '{method.lower()}'"
    if data is None:
        return "\n".join([*lines, f"out = webread('{address}', ...\n    weboptions({options}));"])
    lines += [_assigned("data", data)]
    options += ", 'MediaType', 'application/json'"
    return "\n".join(
        [*lines, f"out = webwrite('{address}', data, ...\n    weboptions({options}));"]
    )
