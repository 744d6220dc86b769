"""Takes the README's pictures (`make screenshots`): a lab of its own, the real program, Chromium.

The lab is made anew each time, in a folder that is thrown away; its dates follow today's.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from brainstem import create_app, demo  # noqa: E402
from brainstem.core import operations  # noqa: E402
from brainstem.core.permissions import Actor  # noqa: E402
from brainstem.core.resource import as_id, registry  # noqa: E402
from brainstem.records.users import User, add_user  # noqa: E402
from tools.serving import serving  # noqa: E402

PICTURES = ROOT / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 900}
LARGEST = 200 * 1000  # bytes of a picture
PASSWORD = "seen by nobody but this script"  # noqa: S105 (of a throw-away lab)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

TABLE = """session__name,project__name,session__date_time,session__tags,animal weight,depth
M14 habituation 1,Memory of places,2026-03-02 10:00,"maze, habituation",24.1,
M14 habituation 2,Memory of places,2026-03-03 10:15,"maze, habituation",24.3,
M14 recording 1,Memory of places,2026-03-05 09:50,"maze, recording",24.0,1.45
M14 recording 2,Memory of space,2026-03-06 10:05,"maze, recording",23.9,1.60
M14 recording 3,Memory of places,2026-03-32 10:05,"maze, recording",23.9,1.60
"""


class Lab:
    """What there is to see."""

    def __init__(self, ada: User, grace: User) -> None:
        self.ada, self.grace = Actor(ada.id, way="page"), Actor(grace.id, way="page")
        self.grace_email = grace.email
        demo.load(self.ada)
        self.session = self.fill()

    def make(self, kind: str, actor: Actor | None = None, **payload: Any) -> str:
        return operations.create(actor or self.ada, registry.get(kind), payload).id

    def change(self, kind: str, record: str, actor: Actor, **payload: Any) -> None:
        resource = registry.get(kind)
        operations.change(actor, resource, as_id(record), payload)

    def fill(self) -> str:
        """A lab at work; returns the session that the pictures are of."""
        project = self.make(
            "project",
            name="Memory of places",
            description="How do cells of the hippocampus remember where a reward was?",
            tags=["hippocampus", "maze"],
        )
        self.make("project", name="Sleep and learning", tags=["sleep"])
        server = self.make(
            "datastorage",
            name="Lab server",
            location="Room B114",
            data_organization=[{"elements": each} for each in ("Projects", "Subjects", "Sessions")],
            data_protocols=[
                {"protocol": "SMB", "path": "//labserver/data", "is_public": False},
                {"protocol": "NFS", "path": "/mnt/labserver/data", "is_public": False},
            ],
        )
        archive = self.make(
            "datastorage",
            name="University archive",
            location="Computing centre",
            data_organization=[{"elements": "Years"}, {"elements": "Sessions"}],
            data_protocols=[
                {"protocol": "HTTPS", "path": "https://archive.example.org/lab", "is_public": True}
            ],
        )
        for kind, record in (("project", project), ("datastorage", server)):
            self.change(kind, record, self.ada, users={self.grace_email: {"can_change": True}})
        mice = [self.subject(project, name) for name in ("M12", "M13")]
        setup = self.make("setup", name="Linear maze", location="Room B115")
        assay = self.make("behavioralassay", name="Spatial alternation")
        probe = self.make("equipment", name="Neuropixels 2.0", type="NeuralProbe", setup=setup)
        implants = [self.make("procedure", type="Implantation", subject=each) for each in mice]

        today = datetime.now(UTC).replace(hour=9, minute=30, second=0, microsecond=0)
        days = [today - timedelta(days=n) for n in range(1, 300)]
        working = [day for day in days if day.weekday() < 5 and day.day % 3]
        session = ""
        for number, day in enumerate(reversed(working), 1):
            newest = day is working[0]
            mouse = "M12" if number % 3 or newest else "M13"
            session = self.make(
                "session",
                self.ada if number % 4 else self.grace,
                name=f"{mouse} {day:%Y-%m-%d}",
                projects=[project],
                date_time=f"{day + timedelta(minutes=7 * (number % 9)):%Y-%m-%dT%H:%M:%SZ}",
                description="Pre-sleep, 45 minutes on the maze, post-sleep. Signal good throughout."
                if newest
                else "",
                datastorage=[server, archive] if number % 4 and newest else [server][: number % 5],
                tags=["maze", "recording"] if number > 6 else ["maze", "habituation"],
                extra_fields={"room": "B115", "weight": round(22.4 + number / 20, 1), "depth": 1.5},
            )
            if number % 4 == 1 and not newest:
                second = day + timedelta(hours=4)
                self.make(
                    "session",
                    name=f"{mouse} {day:%Y-%m-%d} afternoon",
                    projects=[project],
                    date_time=f"{second:%Y-%m-%dT%H:%M:%SZ}",
                    tags=["maze"],
                )
            if (number % 5 and day > today - timedelta(days=60)) or newest:
                which = int(mouse == "M13")
                self.recorded(session, mice[which], setup, assay, probe, implants[which])
        self.change("session", session, self.grace, tags=["maze", "recording", "sleep"])
        self.change(
            "session",
            session,
            self.ada,
            description="Pre-sleep, 45 minutes on the maze, post-sleep. Lost the signal of shank 3 at 11:10.",
            extra_fields={"room": "B115", "weight": 24.1, "depth": 1.62},
        )
        return session

    def subject(self, project: str, name: str) -> str:
        about = {"species": "Mus musculus", "strain": "C57BL/6J", "sex": "F"}
        return self.make("subject", name=name, projects=[project], birth_date="2026-05-04", **about)

    def recorded(
        self, session: str, mouse: str, setup: str, assay: str, probe: str, implant: str
    ) -> None:
        """The epochs and modules of a recording of two and a half hours."""
        runs = self.make(
            "behavior", session=session, subjects=[mouse], setup=setup, behavioralassay=assay
        )
        signals = [
            self.make(
                "dataacquisition",
                type=type_,
                session=session,
                equipment=[probe] if "Ephys" in type_ else [],
                procedures=[implant] if "Ephys" in type_ else [],
                details={"sampling_rate": rate},
            )
            for type_, rate in (("ExtracellularEphys", 30000), ("VideoTracking", 60))
        ]
        light = self.make(
            "manipulation",
            type="OptogeneticStimulation",
            session=session,
            procedures=[implant],
            notes="CA1, 473 nm, every second lap",
        )
        for name, start, end, more in (
            ("Pre-sleep", "00:00:00", "00:48:00", {}),
            (
                "Maze",
                "00:50:00",
                "01:35:00",
                {"behaviors": [runs], "manipulations": [light], "dataacquisition": signals},
            ),
            ("Post-sleep", "01:40:00", "02:30:00", {}),
        ):
            self.make("epoch", session=session, name=name, start=start, end=end, **more)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The program with its lab: its address, and the id of the session to look at."""
    app = create_app(
        {
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'pictures.sqlite3'}",
            "SECRET_KEY": "the key of the pictures",
            "LAB_NAME": "Hippocampus Lab",
        }
    )
    with app.app_context():
        upgrade()
        lab = Lab(person("Ada", "Lovelace", is_admin=True), person("Grace", "Hopper"))
    with serving(app) as address:
        yield address, lab.session


def person(first: str, last: str, **more: Any) -> User:
    email = f"{first}@lab.example".lower()
    names = {"first_name": first, "last_name": last}
    return add_user({"email": email, "password": PASSWORD, **names}, **more)


def take(page: Page, name: str, address: str | None = None) -> None:
    """One picture, of the page's first screen."""
    if address:
        page.goto(address)
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    file = PICTURES / f"{name}.png"
    page.screenshot(path=file, animations="disabled", caret="hide")
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}: {size // 1000} kB")
    if size > LARGEST:
        sys.exit(f"{file.name} is larger than {LARGEST // 1000} kB")


def take_all(page: Page, session: str, folder: Path) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill("ada@lab.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    take(page, "dashboard")
    take(page, "sessions", "/sessions/?sort=-date_time")
    take(page, "calendar", "/sessions/?sort=-date_time&calendar=latest")
    take(page, "session", f"/sessions/{session}")
    page.emulate_media(color_scheme="dark")
    take(page, "session-dark")
    page.emulate_media(color_scheme="light")
    page.goto(f"/sessions/{session}/edit")
    page.get_by_role("tab", name="Epochs").click()
    page.locator("summary:visible", has_text="Maze").click()
    take(page, "form")
    take(page, "history", f"/sessions/{session}/history")

    table = folder / "recordings 2026.csv"
    table.write_text(TABLE, encoding="utf-8")
    page.goto("/import/?kind=sessions")
    page.get_by_label("CSV file").set_input_files(table)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Import").wait_for()
    take(page, "import")


def main() -> None:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        sys.exit("Chromium is not installed (Debian: apt install chromium).")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        with served(folder) as (address, session):
            browser = playwright.chromium.launch(
                executable_path=program, args=["--no-sandbox", "--disable-gpu", "--lang=en-GB"]
            )
            options = {"base_url": address, "viewport": SIZE, "locale": "en-GB"}
            take_all(browser.new_context(**options).new_page(), session, folder)
            browser.close()


if __name__ == "__main__":
    main()
