"""The rows of an import, as its page shows them: of one sort or all, a page at a time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from brainstem.imports import carrying, runs
from brainstem.imports.runs import ImportRow, ImportRun
from brainstem.views import show

PER_PAGE = 100

#: What a sort of rows is called, before the import and after it.
LABELS = {
    carrying.REFUSED: ("Refused", "Refused"),
    carrying.CREATED: ("New", "Created"),
    carrying.CHANGED: ("To change", "Changed"),
    carrying.SAME: ("Unchanged", "Unchanged"),
}

#: What is said of a row, before the import and after it.
DEEDS = {
    carrying.REFUSED: ("Refused", "Not imported"),
    carrying.CREATED: ("Will be created", "Created"),
    carrying.CHANGED: ("Will change", "Changed"),
    carrying.SAME: ("Stays as it is", "Stayed as it was"),
}


def of(run: ImportRun) -> dict[str, Any]:
    """The rows that the address asks for: `?show=refused&page=2`; the refused ones first of all."""
    done = run.status == runs.DONE
    asked = request.args.get("show", "")
    if asked not in (*LABELS, "all"):
        asked = carrying.REFUSED if run.counts.get(carrying.REFUSED) else "all"
    deed = "" if asked == "all" else asked
    number = request.args.get("page", "1")
    page = max(int(number), 1) if number.isdecimal() and len(number) < 7 else 1
    found, total = runs.rows_of(run, deed, (page - 1) * PER_PAGE, PER_PAGE)
    pages = max(-(-total // PER_PAGE), 1)
    return {
        "tabs": [
            {
                "label": label,
                "count": count,
                "url": _url(run, show=name),
                "here": name == asked,
            }
            for name, label, count in _sorts(run, done)
        ],
        "rows": [_row(run, row, done) for row in found],
        "pager": {
            "total": total,
            "first": (page - 1) * PER_PAGE + 1,
            "last": (page - 1) * PER_PAGE + len(found),
            "page": page,
            "pages": pages,
            "previous_url": _url(run, show=asked, page=page - 1) if page > 1 else None,
            "next_url": _url(run, show=asked, page=page + 1) if page < pages else None,
        },
    }


def _sorts(run: ImportRun, done: bool) -> list[tuple[str, str, int]]:
    sorts = [
        (name, labels[done], run.counts.get(name, 0))
        for name, labels in LABELS.items()
        if run.counts.get(name)
    ]
    return [("all", "All rows", run.total), *sorts]


def _row(run: ImportRun, row: ImportRow, done: bool) -> dict[str, Any]:
    resource = run.import_kind.resource
    return {
        "number": row.number,
        "title": row.title,
        "url": show.url_of(resource, row.record_id) if row.record_id else "",
        "deed": row.deed,
        "what": DEEDS[row.deed][done],
        "fields": row.told.get("fields", []),
        "note": row.told.get("note", ""),
        "problems": [
            {"column": column, "text": text} for column, text in row.told.get("problems", [])
        ],
    }


def _url(run: ImportRun, **query: Any) -> str:
    return f"{url_for('imports.run', run_id=run.id)}?{urlencode({k: v for k, v in query.items() if v})}"
