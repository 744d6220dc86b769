// While the server looks whether the data is there, ask now and then what it has found, and say so.
import { announce } from './announce.js';

const section = document.querySelector('[data-where]');
const address = section.dataset.where;
const GIVE_UP = 150; // seconds: by then the server has given up, too
let asking = false;

const checks = (root) => [...root.querySelectorAll('[data-check]')];
const said = (check) => check.firstElementChild.textContent.trim();

/** Take over what the server has found so far; whether it is still looking, or null without an answer. */
async function refresh() {
  const response = await fetch(address, { headers: { Accept: 'text/html' } });
  if (!response.ok || response.redirected) return null; // signed out meanwhile
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const fresh of checks(page)) {
    const shown = section.querySelector(`[data-check="${fresh.dataset.check}"]`);
    if (shown && shown.innerHTML !== fresh.innerHTML) {
      shown.className = fresh.className;
      shown.replaceChildren(...fresh.childNodes);
    }
  }
  return page.querySelector('[data-busy]') !== null;
}

async function poll() {
  if (asking) return;
  asking = true;
  try {
    for (let passed = 0, wait = 0.5; passed < GIVE_UP; passed += wait, wait = Math.min(wait * 1.5, 8)) {
      await new Promise((resolve) => { setTimeout(resolve, wait * 1000); });
      const busy = await refresh();
      if (busy === null) return;
      if (!busy) {
        announce(`Checked. ${checks(section).map(said).join(' ')}`);
        return;
      }
    }
  } catch {
    // The network is away: what is shown stays, with its time.
  } finally {
    asking = false;
  }
}

section.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  announce('Checking …');
  try {
    const response = await fetch(form.action, { method: 'POST', body: new FormData(form) });
    if (!response.ok || response.url.includes('/login')) throw new Error(response.statusText);
    await refresh();
    await poll();
  } catch {
    form.submit(); // the page that comes says what is wrong
  }
});

if ('busy' in section.dataset) poll();
