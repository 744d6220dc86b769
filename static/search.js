// The search field: the / key leads to it; suggestions come while somebody types. Without this file the
// form leads to the page of results.
import { announce } from './announce.js';

const WAIT = 150; // milliseconds without a key before the server is asked
const LEAST = 2; // letters
const SHORTCUT = 'search-shortcut';

const field = document.querySelector('[data-search] input');
const setting = document.querySelector('[data-search-setting] input');

function shortcutIsOff() {
  return localStorage.getItem(SHORTCUT) === 'off';
}

function types(element) {
  return element.closest('input, textarea, select, dialog[open], [contenteditable], [role="application"]');
}

document.addEventListener('keydown', (event) => {
  const plain = event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!plain || event.defaultPrevented || shortcutIsOff() || types(event.target)) return;
  event.preventDefault();
  if (field.checkVisibility()) {
    field.focus();
    field.select();
  } else {
    location.assign(field.form.action);
  }
});

if (setting) {
  setting.checked = !shortcutIsOff();
  setting.addEventListener('change', () => {
    localStorage.setItem(SHORTCUT, setting.checked ? 'on' : 'off');
    document.documentElement.toggleAttribute('data-no-shortcut', shortcutIsOff());
  });
}
document.documentElement.toggleAttribute('data-no-shortcut', shortcutIsOff());

/** Shows what the server suggests below a field (the combobox pattern of ARIA's authoring practices). */
function suggest(input) {
  const panel = document.getElementById(`${input.id}-suggestions`);
  let timer, request, shown = ''; // the text that the suggestions are for

  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-controls', panel.id);
  if (!shortcutIsOff()) input.setAttribute('aria-keyshortcuts', '/');

  const options = () => [...panel.querySelectorAll('[role="option"]')];
  const active = () => panel.querySelector('[aria-selected="true"]');

  function choose(option) {
    active()?.setAttribute('aria-selected', 'false');
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    if (option) input.setAttribute('aria-activedescendant', option.id);
    else input.removeAttribute('aria-activedescendant');
  }

  function close() {
    clearTimeout(timer);
    request?.abort();
    choose(null);
    panel.hidden = true;
    input.setAttribute('aria-expanded', 'false');
  }

  function open() {
    panel.hidden = false;
    input.setAttribute('aria-expanded', String(options().length > 0));
  }

  async function ask(text) {
    request?.abort();
    request = new AbortController();
    const address = new URL(input.form.action);
    address.search = new URLSearchParams({ q: text, suggest: '1' });
    try {
      const answer = await fetch(address, { signal: request.signal, redirect: 'error' });
      const html = await answer.text();
      if (document.activeElement !== input || input.value.trim() !== text) return;
      panel.innerHTML = html; // from our own server, which has escaped it
      shown = text;
      choose(null);
      open();
      const count = panel.querySelector('[data-total]').dataset.total;
      announce(count === '0' ? 'Nothing found' : `${count} found; the arrow keys choose`);
    } catch {
      // Asked again meanwhile, signed out, or no network: Enter still leads to the results.
    }
  }

  input.addEventListener('input', () => {
    clearTimeout(timer);
    const text = input.value.trim();
    if (text.length < LEAST) {
      close();
      shown = '';
    } else if (text !== shown) {
      timer = setTimeout(ask, WAIT, text);
    } else {
      open();
    }
  });

  input.addEventListener('keydown', (event) => {
    const all = options();
    const now = all.indexOf(active());
    if (event.key === 'Escape' && !panel.hidden) {
      event.preventDefault(); // the first one closes, the next one empties the field
      close();
    } else if (event.key === 'Enter' && now >= 0) {
      event.preventDefault();
      all[now].click();
    } else if (['ArrowDown', 'ArrowUp'].includes(event.key) && all.length) {
      event.preventDefault();
      if (panel.hidden) open();
      // Past the ends one is in the field again.
      const next = now + (event.key === 'ArrowDown' ? 1 : -1);
      choose(now < 0 && event.key === 'ArrowUp' ? all.at(-1) : all[next]);
    }
  });

  input.addEventListener('focus', () => {
    if (shown && shown === input.value.trim()) open();
  });
  input.addEventListener('blur', close);
  panel.addEventListener('mousedown', (event) => event.preventDefault()); // the field keeps the focus
}

for (const form of document.querySelectorAll('[data-suggests]')) suggest(form.querySelector('input'));
