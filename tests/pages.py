"""A browser without JavaScript: it reads the forms of a page and sends their controls back.

What a browser does to values on the way, it does too: line ends become CRLF, a one-line input loses
its line breaks, a date's `:00` seconds are dropped, a textarea's first line break is not content.
"""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
ONE_LINE = ("text", "email", "password", "search", "url")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tree = TreeBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tree.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.tree.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.tree.end(tag)

    def handle_data(self, data: str) -> None:
        self.tree.data(data)


def text_of(element: Element) -> str:
    """The text of an element, as it reads."""
    return " ".join("".join(element.itertext()).split())


class Page:
    """A page that was answered: its texts, its forms, and what it marks as wrong."""

    def __init__(self, response: TestResponse) -> None:
        reader = _Reader()
        reader.feed(response.text)
        self.status = response.status_code
        self.html = response.text
        self.root = reader.tree.close()
        for parent in list(self.root.iter()):
            for template in parent.findall("template"):
                parent.remove(template)
        self.by_id = {each.get("id"): each for each in self.root.iter() if each.get("id")}

    @property
    def text(self) -> str:
        return text_of(self.root.find("body"))

    def all(self, tag: str) -> list[Element]:
        return list(self.root.iter(tag))

    def form(self, button: str) -> Form:
        """The form with the button of this name."""
        forms = [Form(each) for each in self.root.iter("form")]
        return next(form for form in forms if button in form.buttons)

    @property
    def marks(self) -> dict[str, str]:
        """The message at each control or group that is in error, by its id."""
        found = {}
        for element in self.root.iter():
            described = [self.by_id[i] for i in element.get("aria-describedby", "").split()]
            errors = [text_of(each) for each in described if "field-error" in each.get("class", "")]
            if element.tag != "fieldset":
                assert bool(errors) == (element.get("aria-invalid") == "true"), element.attrib
            if errors:
                found[element.get("id")] = " ".join(errors)
        return found

    @property
    def summary(self) -> list[str]:
        """What the summary at the top links to."""
        alerts = [each for each in self.root.iter() if each.get("role") == "alert"]
        links = [link.get("href") for alert in alerts for link in alert.iter("a")]
        assert all(link.removeprefix("#") in self.by_id for link in links), links
        return [link.removeprefix("#") for link in links]


class Form:
    """A form's controls, as a browser would send them."""

    def __init__(self, element: Element) -> None:
        self.action = element.get("action")
        self.fields: MultiDict[str, str] = MultiDict()
        self.buttons: dict[str, tuple[str, str] | None] = {}
        for control in element.iter():
            if control.tag == "button" and control.get("type") == "submit":
                self._add_button(control)
            elif control.get("name") and "disabled" not in control.attrib:
                for value in _values(control):
                    self.fields.add(control.get("name"), value)

    def _add_button(self, button: Element) -> None:
        name = button.get("aria-label") or text_of(button)
        pressed = (button.get("name"), button.get("value", ""))
        self.buttons.setdefault(name, pressed if pressed[0] else None)

    def set(self, **fields: Any) -> Form:
        """Type into fields; a list is several values of one name."""
        for name, value in fields.items():
            self.fields.setlist(name, value if isinstance(value, list) else [value])
        return self

    def set_rows(self, name: str, rows: list[dict[str, str]]) -> Form:
        """Put rows into a field of several rows, in place of those it has."""
        for old in [each for each in self.fields if re.match(rf"{name}-\d+-", each)]:
            del self.fields[old]
        for index, row in enumerate(rows):
            for column, value in row.items():
                self.fields[f"{name}-{index}-{column}"] = value
        return self

    def sent(self, button: str) -> MultiDict[str, str]:
        """What a browser sends when a button is pressed."""
        pairs = [(name, _crlf(value)) for name, value in self.fields.items(multi=True)]
        return MultiDict(pairs + ([pressed] if (pressed := self.buttons[button]) else []))


def _values(control: Element) -> list[str]:
    match control.tag, control.get("type", "text"):
        case "input", "checkbox" | "radio":
            return [control.get("value", "on")] if "checked" in control.attrib else []
        case "input", "datetime-local":
            return [_shortened(control.get("value", ""))]
        case "input", kind:
            value = control.get("value", "")
            return [re.sub(r"[\r\n]", "", value) if kind in ONE_LINE else value]
        case "textarea", _:
            return [re.sub(r"\r\n?", "\n", "".join(control.itertext())).removeprefix("\n")]
        case "select", _:
            options = list(control.iter("option"))
            chosen = [each for each in options if "selected" in each.attrib]
            if not chosen and "multiple" not in control.attrib:
                chosen = options[:1]
            return [each.get("value", "") for each in chosen]
        case _:
            return []


def _shortened(text: str) -> str:
    """A time as a browser's own control writes it: in the shortest way."""
    if not text:
        return ""
    moment = datetime.fromisoformat(text)
    assert moment.microsecond % 1000 == 0, "a browser would drop it"
    if moment.microsecond:
        return moment.isoformat(timespec="milliseconds")
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def _crlf(text: str) -> str:
    return re.sub(r"\r\n?|\n", "\r\n", text)


class Pages:
    """A browser that keeps cookies, and sends the forms that it was shown."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, address: str, **kwargs: Any) -> TestResponse:
        return self.client.get(address, **kwargs)

    def open(self, address: str) -> Page:
        """A page that there is."""
        response = self.get(address)
        assert response.status_code == 200, (address, response.status_code, response.location)
        return Page(response)

    def form(self, address: str, button: str) -> Form:
        """A form of a page; it is sent to the page's own address unless it says otherwise."""
        form = self.open(address).form(button)
        form.action = form.action or address
        return form

    def press(self, form: Form, button: str, address: str = "") -> TestResponse:
        """Send a form by one of its buttons."""
        return self.client.post(form.action or address, data=form.sent(button))

    def token(self, address: str = "/login") -> str:
        """The CSRF token of a page's form."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(address).text)
        assert found, address
        return found[1]

    def submit(self, address: str, fields: dict[str, Any], page: str | None = None) -> TestResponse:
        """Post fields of one's own to an address, with the CSRF token of a page."""
        data = {"csrf_token": self.token(page or address), **fields}
        return self.client.post(address, data=data)
