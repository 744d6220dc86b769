// Tabs of a form. Without script its panels stand below each other, with links to them; here the links
// become tabs. The chosen one is kept in the address, so that it is there again when the form comes back.
const box = document.querySelector('[data-tabs]');
if (box) enhance();

function enhance() {
  const nav = box.querySelector('nav');
  const list = nav.querySelector('ul');
  const tabs = [...list.querySelectorAll('a')];
  const panelOf = (tab) => document.getElementById(tab.hash.slice(1));
  const panels = tabs.map(panelOf);

  list.role = 'tablist';
  list.setAttribute('aria-label', nav.getAttribute('aria-label'));
  nav.removeAttribute('aria-label');
  nav.role = 'none';
  tabs.forEach((tab, number) => {
    tab.parentElement.role = 'none';
    tab.role = 'tab';
    tab.setAttribute('aria-controls', panels[number].id);
  });

  function select(number, { keep = true, focus = false } = {}) {
    tabs.forEach((tab, each) => {
      const chosen = each === number;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      tab.classList.toggle('is-chosen', chosen);
      // With the first tab all of the record's own fields are seen, those with a tab of their own too.
      const open = chosen || (number === 0 && 'withFirst' in panels[each].dataset);
      panels[each].classList.toggle('is-open', open);
      panels[each].hidden = !open;
      if (chosen) panels[each].role = 'tabpanel';
      else panels[each].removeAttribute('role');
    });
    if (keep) history.replaceState(history.state, '', tabs[number].hash);
    if (focus) tabs[number].focus();
    // Where the tabs don't fit, this one is in view.
    list.scrollLeft = tabs[number].offsetLeft - list.offsetLeft - (list.clientWidth - tabs[number].offsetWidth) / 2;
  }

  /** Shows the place of an element: its tab, and the card that it is in. */
  function reveal(element, keep = false) {
    const number = panels.findIndex((panel) => panel.contains(element));
    if (number < 0) return;
    if (panels[number].hidden) select(number, { keep });
    for (let card = element.closest('details'); card; card = card.parentElement.closest('details')) card.open = true;
  }

  const target = () => document.getElementById(location.hash.slice(1));

  list.addEventListener('click', (event) => {
    const tab = event.target.closest('a');
    if (!tab) return;
    event.preventDefault();
    select(tabs.indexOf(tab));
  });

  list.addEventListener('keydown', (event) => {
    const number = tabs.indexOf(event.target.closest('a'));
    const last = tabs.length - 1;
    const next = {
      ArrowRight: number === last ? 0 : number + 1,
      ArrowLeft: number === 0 ? last : number - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (number < 0 || next === undefined) return;
    event.preventDefault();
    select(next, { focus: true });
  });

  // Links into the form: of the list of errors, and of what is missing. Then the browser goes there.
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    const place = link && !list.contains(link) && document.getElementById(link.hash.slice(1));
    if (place) reveal(place);
  });
  window.addEventListener('hashchange', () => { if (target()) reveal(target()); });

  // How many rows a tab holds; of cards parts.js knows more.
  box.addEventListener('change', () => {
    for (const count of list.querySelectorAll('[data-count]')) {
      const rows = box.querySelector(`[data-rows][id="${CSS.escape(count.dataset.count)}"] .rows-list`);
      if (rows) count.textContent = rows.children.length || '';
    }
  });

  // What another script finds wrong when the form is sent may be out of sight. Else the place in the address
  // is not for the page that follows: that shall be seen from its top, with what it says there.
  document.addEventListener('submit', (event) => {
    if (!event.defaultPrevented) history.replaceState(history.state, '', location.pathname + location.search);
    const wrong = event.defaultPrevented && event.target.querySelector('[aria-invalid="true"]');
    if (!wrong) return;
    reveal(wrong);
    wrong.focus();
  });

  // After a mistake the focus goes to the list of errors, and not to the place in the address.
  if (box.dataset.open) history.replaceState(history.state, '', location.pathname + location.search);
  const asked = box.dataset.open ? document.getElementById(box.dataset.open) : target();
  const first = Math.max(0, panels.findIndex((panel) => panel.contains(asked)));
  select(first, { keep: false });
  box.classList.add('is-tabbed');
  if (!box.dataset.open && target() && target() !== panels[first]) {
    reveal(target());
    target().scrollIntoView();
  }
}
