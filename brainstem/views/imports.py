"""Import of tables, step by step: a file, its columns, what would come of its rows, the import."""

from __future__ import annotations

import csv
import io
import uuid
from contextlib import closing
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user, login_required
from werkzeug.exceptions import RequestEntityTooLarge

from brainstem.core.forms import DO
from brainstem.core.history import Change
from brainstem.core.resource import Resource
from brainstem.core.times import utc_text
from brainstem.extensions import db
from brainstem.imports import carrying, matching, runs, tables
from brainstem.imports.kinds import KINDS, ImportKind
from brainstem.imports.runs import ImportRun
from brainstem.views import import_columns, import_rows, show
from brainstem.views.pages import page_actor

bp = Blueprint("imports", __name__, url_prefix="/import")

#: A short run is waited for, in seconds: then nobody has to look at a bar.
PATIENCE = 1.5

#: What a form has beside the file.
REST = 64 * 1024


@bp.app_template_global()
def import_url(resource: Resource) -> str | None:
    """Where tables of a kind are imported; None where they can't be."""
    plural = next((each.plural for each in KINDS.values() if each.name == resource.name), None)
    return plural and show.at("imports.start", kind=plural)


@bp.url_value_preprocessor
def take_files(endpoint: str | None, values: Any) -> None:
    """A file may be larger than other requests; said before anything reads the form."""
    if endpoint == "imports.start":
        request.max_content_length = tables.MOST_BYTES + REST


@bp.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Any:
    """Say it on the page that the file was chosen on."""
    if not current_user.is_authenticated:
        return error
    most = tables.MOST_BYTES // tables.MEBIBYTE
    return _start_page(
        _kind_asked(), f"This file is larger than {most} MB. Divide it into several files.", 413
    )


# 1: the file -----------------------------------------------------------------------------------------


@bp.route("/", methods=["GET", "POST"])
@login_required
def start() -> Any:
    """Choose a kind and a file (`?kind=sessions`); what was imported lately."""
    kind = _kind_asked()
    if request.method != "POST":
        return _start_page(kind)
    kind = KINDS.get(request.form.get("kind", ""), kind)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _start_page(kind, "Choose a CSV file first.", 400)
    with closing(file):
        content = file.read(tables.MOST_BYTES + 1)
    try:
        table = tables.read(content)
    except tables.UnreadableTable as error:
        return _start_page(kind, str(error), 400)
    actor = page_actor()
    run = runs.begin(
        actor,
        kind,
        file.filename,
        content,
        table,
        matched=matching.guess(kind, table.header),
        default=import_columns.only_home(actor, kind),
    )
    return redirect(url_for("imports.columns", run_id=run.id))


def _kind_asked() -> ImportKind:
    return KINDS.get(request.args.get("kind", ""), KINDS["sessions"])


def _start_page(kind: ImportKind, error: str = "", status: int = 200) -> tuple[str, int]:
    actor = page_actor()
    page = render_template(
        "imports/start.html",
        kinds=[
            {
                "value": each.plural,
                "label": each.resource.labels,
                "chosen": each is kind,
                "template_url": url_for("imports.template", plural=each.plural),
                "columns": list(each.template),
            }
            for each in KINDS.values()
        ],
        error=error,
        most=tables.MOST_BYTES // tables.MEBIBYTE,
        most_bytes=tables.MOST_BYTES,
        most_rows=tables.MOST_ROWS,
        recent=[_told(run) for run in runs.recent(actor)],
    )
    return page, status


#: What the list of recent imports says of each state.
STATES = {
    runs.NEW: "Columns to be checked",
    runs.JUDGING: "Rows are being checked",
    runs.JUDGED: "Checked, not imported",
    runs.IMPORTING: "Being imported",
    runs.DONE: "Imported",
    runs.UNDOING: "Being undone",
    runs.FAILED: "Failed",
}


def _told(run: ImportRun) -> dict[str, Any]:
    step = "imports.columns" if run.state == runs.NEW else "imports.run"
    return {
        "filename": run.filename,
        "url": url_for(step, run_id=run.id),
        "discard_url": url_for("imports.discard", run_id=run.id),
        "what": f"{run.total:,} {_rows(run.total)} of {run.import_kind.plural}",
        "state": STATES[run.state],
        "when": show.moment(utc_text(run.created_date)),
    }


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


@bp.get("/template/<plural>.csv")
@login_required
def template(plural: str) -> Any:
    """A table to fill in: the columns, and one row as an example."""
    kind = KINDS.get(plural)
    if kind is None:
        return redirect(url_for("imports.start"))
    text = io.StringIO()
    csv.writer(text).writerows([list(kind.template), list(kind.template.values())])
    # With its mark, Excel reads UTF-8 as such.
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{plural}.csv"'
    return response


# 2: its columns --------------------------------------------------------------------------------------


@bp.route("/<uuid:run_id>/columns", methods=["GET", "POST"])
@login_required
def columns(run_id: uuid.UUID) -> Any:
    """Which column is which field; then the rows are tried."""
    actor = page_actor()
    run = runs.own(actor, run_id)
    if run.status == runs.DONE or run.state in runs.RUNNING:
        return redirect(url_for("imports.run", run_id=run_id))
    table, kind = runs.table_of(run), run.import_kind
    matched, default = run.matched, run.default
    wrong: dict[str, Any] = {"columns": {}, "missing": []}
    sent = request.form if request.method == "POST" else None
    if sent is not None:
        asked = [request.form.get(f"column-{i}", "") for i in range(len(table.header))]
        matched = [
            matching.extra_key(kind, name) if target == import_columns.EXTRA else target
            for name, target in zip(table.header, asked, strict=True)
        ]
        default = request.form.get("default", "")
    # A button beside the choice only looks for other things to choose.
    looking = request.form.get(DO, "").endswith(":look")
    home = import_columns.home_form(actor, kind, default, sent)
    if sent is not None and not looking:
        wrong = matching.problems(kind, table.header, matched)
        chosen = import_columns.chosen_home(actor, kind, default)
        if chosen is None and home:
            wrong["default"] = "Choose one of these."
            home.place({"default": [wrong["default"]]})
        if not any(wrong.values()):
            runs.match(actor, run_id, matched, chosen or "")
            runs.rehearse(actor, run_id)
            runs.wait(run_id, PATIENCE)
            return redirect(url_for("imports.run", run_id=run_id))
    page = render_template(
        "imports/columns.html",
        run=run,
        kind=kind,
        resource=kind.resource,
        columns=import_columns.columns(kind, table, matched, wrong["columns"]),
        summary=import_columns.summary(table, wrong),
        home=home,
        table=table,
        delimiter=tables.DELIMITERS[table.delimiter],
        discard_url=url_for("imports.discard", run_id=run_id),
    )
    return page, 400 if any(wrong.values()) else 200


# 3: what would come of it, and the import ----------------------------------------------------------


@bp.get("/<uuid:run_id>")
@login_required
def run(run_id: uuid.UUID) -> Any:
    """Where an import stands: how far it is, what would come of its rows, or what came of them."""
    found = runs.own(page_actor(), run_id)
    state = found.state
    if state == runs.NEW:
        return redirect(url_for("imports.columns", run_id=run_id))
    change = found.change_id and db.session.get(Change, found.change_id)
    undone = change and change.undone_by_id is not None
    rows = import_rows.of(found) if state in (runs.JUDGED, runs.DONE) else None
    counts = found.counts or {}
    return render_template(
        "imports/run.html",
        heading="Import undone" if undone else _heading(found, state),
        run=found,
        state=state,
        kind=found.import_kind,
        resource=found.import_kind.resource,
        done=found.rows_done,
        counts=counts,
        changes=counts.get(carrying.CREATED, 0) + counts.get(carrying.CHANGED, 0),
        list_url=show.list_url(found.import_kind.resource),
        undone=undone,
        rows=rows,
    )


def _heading(run: ImportRun, state: str) -> str:
    labels = run.import_kind.resource.labels.lower()
    return {
        runs.JUDGING: "Checking the rows",
        runs.JUDGED: "What the import would do",
        runs.IMPORTING: f"Importing {labels}",
        runs.DONE: "Imported",
        runs.UNDOING: "Undoing the import",
        runs.FAILED: "The import failed",
    }[state]


@bp.get("/<uuid:run_id>/progress")
@login_required
def progress(run_id: uuid.UUID) -> Response:
    """How far a run is, for the script of its page."""
    found = runs.own(page_actor(), run_id)
    state = found.state
    response = jsonify(running=state in runs.RUNNING, done=found.rows_done, total=found.total)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/<uuid:run_id>/check")
@login_required
def check(run_id: uuid.UUID) -> Response:
    """Try the rows again: what was missing may be there now."""
    runs.rehearse(page_actor(), run_id)
    runs.wait(run_id, PATIENCE)
    return redirect(url_for("imports.run", run_id=run_id))


@bp.post("/<uuid:run_id>/store")
@login_required
def store(run_id: uuid.UUID) -> Response:
    """Import the rows; with `skip` those that are not refused."""
    runs.carry_out(page_actor(), run_id, skip=bool(request.form.get("skip")))
    runs.wait(run_id, PATIENCE)
    return redirect(url_for("imports.run", run_id=run_id))


@bp.post("/<uuid:run_id>/undo")
@login_required
def undo(run_id: uuid.UUID) -> Response:
    """Take the whole import back, as its change's own page does; here a long one is no long request."""
    runs.take_back(page_actor(), run_id)
    runs.wait(run_id, PATIENCE)
    return redirect(url_for("imports.run", run_id=run_id))


@bp.post("/<uuid:run_id>/discard")
@login_required
def discard(run_id: uuid.UUID) -> Response:
    """Forget a run; records that it made stay."""
    actor = page_actor()
    name = runs.own(actor, run_id).filename
    runs.discard(actor, run_id)
    flash(f"“{name}” was removed from your imports.", "success")
    return redirect(url_for("imports.start"))
