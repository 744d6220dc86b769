"""axe-core over a page as it stands: WCAG 2.2, levels A and AA, light and dark, wide and narrow."""

from __future__ import annotations

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page, expect

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]

#: Each scheme and each width once: colours do not depend on the width.
PASSES = [("light", WIDE), ("dark", PHONE)]

JUDGE = """async rules => {
  // To their ends at once: one that stands still, or never ends, would be waited for without end.
  for (const each of document.getAnimations()) {
    try { each.finish(); } catch { each.cancel(); }
  }
  const { violations } = await axe.run(document, {
    runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'], preload: false,
  });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => {
    const said = [...node.any, ...node.all, ...node.none].map(({ message }) => message).join('; ');
    return `${id}: ${node.target.join(' ')}\\n      ${node.html.slice(0, 200)}\\n      ${said}`;
  }));
}"""


def look(page: Page, where: str = "") -> list[str]:
    """What axe finds on the page: rule, element, and why."""
    found = []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    for scheme, size in PASSES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        at = f"{where or page.url} ({scheme}, {size['width']})"
        found += [f"{at}\n    {each}" for each in page.evaluate(JUDGE, RULES)]
    page.set_viewport_size(WIDE)
    return found
