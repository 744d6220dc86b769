// Lists answer while one types and ticks: the same address is fetched, and what differs is put in place.
// Without this script the same forms and links load the page anew.
import { announce } from './announce.js';

const PAUSE = 250; // of somebody who types, in milliseconds
const finder = document.querySelector('[data-finder]');
const filters = document.getElementById('list-filters');
const columns = document.getElementById('list-columns');
let asking; // the request under way: what it was to show is old news when another one begins
let typing;

/** What a form says of the list; controls that are empty say nothing. */
function said(form) {
  return [...new FormData(form)].filter(([name, value]) => value.trim() && name !== 'find');
}

function addressOf(pairs) {
  const query = new URLSearchParams(pairs).toString();
  return query ? `${location.pathname}?${query}` : location.pathname;
}

/** The page at an address of this list; undefined where a later request took over, or there is none. */
async function ask(pairs) {
  asking?.abort();
  const request = new AbortController();
  asking = request;
  const results = document.getElementById('list-results');
  results.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(addressOf(pairs), { signal: request.signal });
    if (!answer.ok || answer.redirected) {
      location.assign(addressOf(pairs)); // there it says what is wrong, or asks to sign in
      return undefined;
    }
    return new DOMParser().parseFromString(await answer.text(), 'text/html');
  } catch (error) {
    if (error.name !== 'AbortError') announce('The list could not be loaded. Is the network there?');
    return undefined;
  } finally {
    if (asking === request) {
      asking = undefined;
      results.removeAttribute('aria-busy');
    }
  }
}

/** Shows the list that is asked for. What the other forms send along has to follow. */
async function show(pairs) {
  clearTimeout(typing);
  const fresh = await ask(pairs);
  if (!fresh) return;
  history.replaceState(null, '', addressOf(pairs));
  for (const old of document.querySelectorAll('[data-fresh]')) {
    const other = fresh.getElementById(old.id);
    if (other) renew(old, other);
  }
  document.querySelectorAll('[data-heat]').forEach(makeOneStop);
  document.querySelectorAll('[data-finder], [data-columns]').forEach(carry);
  announce(document.getElementById('list-results').dataset.said);
}

function renew(old, other) {
  for (const name of ['href', 'value', 'aria-expanded', 'data-said']) {
    if (other.hasAttribute(name)) old.setAttribute(name, other.getAttribute(name));
  }
  if (old.dataset.fresh === 'itself') return;
  const focused = old.contains(document.activeElement);
  old.replaceChildren(...other.childNodes);
  if (focused) finder.elements.q.focus();
}

/** Has a form send along, unseen, what the address says and no control of its own does. */
function carry(form) {
  const controls = [...form.elements].filter(({ name }) => name);
  const own = new Set(controls.filter(({ type }) => type !== 'hidden').map(({ name }) => name));
  for (const each of controls) if (each.type === 'hidden' && !own.has(each.name)) each.remove();
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (own.has(name) || ['page', 'show', 'find'].includes(name)) continue;
    const input = document.createElement('input');
    Object.assign(input, { type: 'hidden', name, value });
    (form === finder ? filters : form).prepend(input);
  }
}

// Choices ----------------------------------------------------------------------------------------

function closePanel({ focus = false } = {}) {
  const panel = filters?.querySelector('[data-open-panel]');
  if (!panel) return;
  const opener = document.getElementById(`filter-${panel.dataset.openPanel}`);
  panel.parentElement.classList.remove('open');
  panel.remove();
  opener.setAttribute('aria-expanded', 'false');
  carry(finder);
  if (focus) opener.focus();
}

async function openPanel(name) {
  closePanel();
  const fresh = await ask([...said(finder), ['show', name]]);
  if (!fresh) return;
  filters.replaceChildren(...fresh.getElementById('list-filters').childNodes);
  filters.querySelector('[data-open-panel]').querySelector('input, a').focus();
}

async function find(field) {
  const panel = field.closest('[data-open-panel]').dataset.openPanel;
  const fresh = await ask([...said(finder), ['show', panel], ['find', field.value]]);
  for (const options of filters.querySelectorAll('[data-options]')) {
    const other = fresh?.getElementById(options.id);
    if (other) options.replaceChildren(...other.childNodes);
  }
}

filters?.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-panel]');
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest('[data-close-panel]')) {
    event.preventDefault();
    closePanel({ focus: true });
  } else if (opener) {
    event.preventDefault();
    if (opener.getAttribute('aria-expanded') === 'true') closePanel({ focus: true });
    else openPanel(opener.dataset.panel);
  }
});

filters?.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') closePanel({ focus: true });
  if (event.key === 'Enter' && event.target.matches('[data-find]')) {
    event.preventDefault();
    clearTimeout(typing);
    find(event.target);
  }
});

document.addEventListener('click', ({ target }) => {
  if (target.isConnected && !target.closest('.list-filter')) closePanel();
});

finder?.addEventListener('input', ({ target }) => {
  if (target.matches('[data-find]')) {
    clearTimeout(typing);
    typing = setTimeout(() => find(target), PAUSE);
  } else if (target.name === 'q') {
    clearTimeout(typing);
    typing = setTimeout(() => show(said(finder)), PAUSE);
  }
});

finder?.addEventListener('change', ({ target }) => {
  if (target.name === 'q' || target.matches('[data-find]')) return;
  // One date at a time: “This month” and “From” would both have to hold.
  if (target.type === 'date') finder.querySelector('input[name="date"][value=""]').checked = true;
  if (target.type === 'radio') finder.querySelectorAll('input[type="date"]').forEach((each) => { each.value = ''; });
  show(said(finder));
});

finder?.addEventListener('submit', (event) => {
  event.preventDefault();
  show(said(finder));
});

// Columns ----------------------------------------------------------------------------------------

const opener = document.getElementById('tool-columns');

function closeColumns() {
  columns.replaceChildren();
  opener.setAttribute('aria-expanded', 'false');
  opener.focus();
}

opener?.addEventListener('click', async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (opener.getAttribute('aria-expanded') === 'true') {
    closeColumns();
    return;
  }
  const fresh = await ask([...said(finder), ['show', 'columns']]);
  if (!fresh) return;
  columns.replaceChildren(...fresh.getElementById('list-columns').childNodes);
  opener.setAttribute('aria-expanded', 'true');
  columns.querySelector('input:not([type="hidden"])').focus();
});

columns?.addEventListener('click', (event) => {
  if (!event.target.closest('[data-close-columns]')) return;
  event.preventDefault();
  closeColumns();
});

columns?.addEventListener('keydown', ({ key }) => { if (key === 'Escape') closeColumns(); });
columns?.addEventListener('change', ({ target }) => show(said(target.form)));
columns?.addEventListener('submit', (event) => {
  event.preventDefault();
  show(said(event.target));
});

// The calendar -----------------------------------------------------------------------------------

/** A month is one stop of the Tab key: arrow keys go from day to day. */
function makeOneStop(month) {
  month.querySelectorAll('a').forEach((day, place) => { day.tabIndex = place ? -1 : 0; });
}

document.addEventListener('keydown', (event) => {
  const day = event.target.closest?.('[data-heat] a');
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!day || !step) return;
  event.preventDefault();
  const days = [...document.querySelectorAll('[data-heat] a')];
  const next = days[days.indexOf(day) + step];
  if (!next) return;
  makeOneStop(next.closest('[data-heat]'));
  next.closest('[data-heat]').querySelectorAll('a').forEach((each) => { each.tabIndex = each === next ? 0 : -1; });
  next.focus();
});

document.getElementById('tool-calendar')?.addEventListener('click', (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(new URL(event.currentTarget.href).searchParams);
});

document.querySelectorAll('[data-heat]').forEach(makeOneStop);
