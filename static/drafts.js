// Unsaved work is kept in the browser and offered again: after a crash, a lost network, an ended sign-in.
// A draft is what the form would send. Taking it up posts it to the form's own address, where the server
// draws the form again with it: that holds for every control, also for those that scripts have added.
import { announce } from './announce.js';
import { draftsOf, drop, put } from './draft_store.js';
import { setUnsaved } from './unsaved.js';

const CURRENT = 'brainstem:draft'; // in this tab: the draft of the form that was sent last
const PAUSE = 400; // milliseconds without typing
const NEVER = new Set(['csrf_token', '_draft', '_do']);

const form = document.querySelector('form[data-record-form]');
if (form?.elements._by) start();

/** What the form would send: names and texts. No passwords, no files. */
function contents() {
  const secret = new Set([...form.querySelectorAll('input[type="password"]')].map(({ name }) => name));
  return [...new FormData(form)]
    .filter(([name, value]) => typeof value === 'string' && !NEVER.has(name) && !secret.has(name));
}

function start() {
  const user = form.elements._by.value;
  const address = addressOf(location);
  // A form that comes back from the server, not saved yet, goes on with the draft that it was sent as.
  const cameBack = form.dataset.unsaved === 'yes';
  const id = (cameBack && sessionStorage.getItem(CURRENT)) || newId();
  const sent = hidden('_draft', id);
  const note = document.createElement('p');
  let before;
  let pending;

  form.append(sent);
  note.className = 'draft-note';
  form.querySelector('.form-actions')?.append(note);

  function keep() {
    clearTimeout(pending);
    pending = undefined;
    const fields = contents();
    const changed = cameBack || JSON.stringify(fields) !== before;
    setUnsaved(form, changed);
    if (!changed) {
      drop(id);
      note.textContent = '';
    } else if (put({ id, user, address, at: Date.now(), fields })) {
      note.textContent = `Kept in this browser, ${clock(new Date())}`;
    } else {
      drop(id); // better none than an old one
      note.textContent = 'Too large to be kept in this browser: save now and then.';
    }
  }

  function later() {
    clearTimeout(pending);
    pending = setTimeout(keep, PAUSE);
  }

  // Once the other scripts have drawn their controls: from then on a difference is the user's.
  function watch() {
    before = JSON.stringify(contents());
    if (cameBack) keep();
    form.addEventListener('input', later);
    form.addEventListener('change', later);
    form.addEventListener('submit', () => {
      sessionStorage.setItem(CURRENT, id);
      if (pending) keep();
      sent.value = `${id}-${Date.now()}`;
    });
    for (const event of ['pagehide', 'visibilitychange']) {
      document.addEventListener(event, () => { if (pending) keep(); }, true);
    }
    window.addEventListener('pagehide', () => { if (pending) keep(); });
    if (!cameBack) offer();
  }

  function offer() {
    const draft = draftsOf(user).find((each) => each.address === address && each.id !== id);
    if (draft) form.before(offerOf(draft, offer));
  }

  if (document.readyState === 'complete') watch();
  else window.addEventListener('load', watch);
}

/** The note above the form, with what can be done about a draft; `next` shows the one before. */
function offerOf(draft, next) {
  const box = document.createElement('section');
  box.className = 'draft-offer';
  box.setAttribute('aria-label', 'Unsaved work');
  const text = document.createElement('p');
  const opened = draft.fields.find(([name]) => name === '_opened')?.[1];
  const overtaken = opened !== form.elements._opened?.value;
  text.textContent = `You have unsaved work from ${clock(new Date(draft.at))} on this ${form.dataset.recordForm || 'form'}.`
    + (overtaken ? ' It was saved by somebody since then: when you save, you see both versions.' : '');
  const actions = document.createElement('div');
  actions.className = 'draft-actions';

  const takeUp = button('Take it up again', 'btn btn-primary', () => {
    const sender = document.createElement('form');
    sender.method = 'post';
    sender.hidden = true;
    sender.append(
      ...draft.fields.map(([name, value]) => hidden(name, value)),
      hidden('csrf_token', form.elements.csrf_token.value),
      hidden('_do', 'again'),
    );
    sessionStorage.setItem(CURRENT, draft.id);
    document.body.append(sender);
    sender.submit();
  });
  const discard = button('Discard', 'btn btn-outline-primary', () => {
    drop(draft.id);
    text.textContent = 'The unsaved work is discarded.';
    actions.replaceChildren(undo);
    undo.focus();
    announce(text.textContent);
  });
  const undo = button('Undo', 'btn btn-outline-primary', () => {
    put(draft);
    const again = offerOf(draft, next);
    box.replaceWith(again);
    again.querySelector('button').focus();
  });
  actions.append(takeUp, discard);
  box.append(text, actions);
  announce(text.textContent);
  return box;
}

function button(text, className, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = text;
  made.addEventListener('click', act);
  return made;
}

function hidden(name, value) {
  const input = document.createElement('input');
  input.type = 'hidden';
  input.name = name;
  input.value = value;
  return input;
}

/** An id that works without https too, where `crypto.randomUUID` is missing. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Which form it is: the page's address; which of its tabs is open does not count. */
function addressOf({ pathname, search }) {
  const args = new URLSearchParams(search);
  args.delete('tab');
  return `${pathname.replace(/\/$/, '')}?${args}`;
}

function clock(moment) {
  const time = moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (moment.toDateString() === new Date().toDateString()) return time;
  return `${moment.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })}, ${time}`;
}
