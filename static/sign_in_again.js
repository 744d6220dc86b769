// Before a form of a record is sent, the server is asked who is signed in. When the sign-in has ended, a
// dialog asks to sign in again, on top of the page; when the server can't be reached, the page says so.
// Either way the form stays as it is, and goes on when it can.
import { announce } from './announce.js';
import './unsaved.js';

const PATIENCE = 15_000; // milliseconds
const template = document.getElementById('sign-in-again');
const ready = new WeakSet();

class Unreachable extends Error {}

document.addEventListener('submit', async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !template || !form.matches('[data-record-form]')) return;
  if (ready.delete(form)) return;
  event.preventDefault();
  if (form.ariaBusy === 'true') return;

  form.ariaBusy = 'true';
  form.querySelector('.save-trouble')?.remove();
  try {
    if (await signedIn(form)) send(form, submitter);
    else announce('Not saved.');
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    showTrouble(form, submitter, error.message);
  } finally {
    form.ariaBusy = null;
  }
});

function send(form, submitter) {
  ready.add(form);
  form.requestSubmit(submitter);
  ready.delete(form);
}

/** Whether the form may be sent: its user is signed in, or has said that it is to be saved as another one. */
async function signedIn(form) {
  const standing = await ask();
  const { user } = template.content.querySelector('dialog').dataset;
  if (standing.user?.id === form.elements._by.value) return take(form, standing);
  const agreed = await dialogFor(form, standing, user);
  return agreed ? take(form, agreed) : false;
}

/** Gives the page's forms the token of the sign-in that there is now. */
function take(form, { user, csrf_token: token }) {
  form.elements._by.value = user.id;
  for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = token;
  return true;
}

async function ask(options = {}) {
  const { address } = template.content.querySelector('dialog').dataset;
  let answer;
  try {
    const headers = { Accept: 'application/json', ...options.headers };
    answer = await fetch(address, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE), ...options, headers });
  } catch {
    throw new Unreachable('The server can’t be reached.');
  }
  const json = answer.headers.get('Content-Type')?.startsWith('application/json');
  const said = json ? await answer.json() : {};
  if (answer.status >= 500 || !json) throw new Unreachable(said.detail ?? 'The server does not answer as it should.');
  return { ok: answer.ok, ...said };
}

/** The dialog; gives who signed in and the token, or null where nobody did. */
function dialogFor(form, standing, user) {
  const dialog = template.content.firstElementChild.cloneNode(true);
  const [signIn, other] = dialog.querySelectorAll('[data-part]');
  const error = dialog.querySelector('[data-error]');
  let agreed = null;

  function askWhether(as) {
    standing = as;
    signIn.hidden = true;
    other.hidden = false;
    for (const name of other.querySelectorAll('[data-name]')) name.textContent = as.user.name;
    dialog.setAttribute('aria-labelledby', 'sign-in-again-other-title');
    dialog.setAttribute('aria-describedby', 'sign-in-again-other-why');
    if (dialog.open) {
      other.querySelector('button').focus();
      announceIn(dialog, other.querySelector('p').textContent);
    }
  }

  function close(result) {
    agreed = result;
    dialog.close();
  }

  function complain(text) {
    error.textContent = text;
    for (const field of signIn.querySelectorAll('[aria-describedby]')) field.ariaInvalid = 'true';
    signIn.elements.password.select();
    signIn.elements.password.focus();
  }

  signIn.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (signIn.ariaBusy === 'true') return;
    signIn.ariaBusy = 'true';
    error.textContent = '';
    try {
      // The token is asked for each time: the one from before may be of a sign-in that has ended.
      const { csrf_token: token } = await ask();
      const body = new URLSearchParams(new FormData(signIn));
      const found = await ask({ method: 'POST', body, headers: { 'X-CSRFToken': token } });
      if (!found.ok) complain(messages(found));
      else if (found.user.id === form.elements._by.value) close(found);
      else askWhether(found);
    } catch (failure) {
      if (!(failure instanceof Unreachable)) throw failure;
      complain(`${failure.message} Try again in a moment.`);
    } finally {
      signIn.ariaBusy = null;
    }
  });
  other.addEventListener('submit', (event) => {
    event.preventDefault();
    close(standing);
  });
  for (const button of dialog.querySelectorAll('[data-close]')) button.addEventListener('click', () => close(null));

  document.body.append(dialog);
  if (standing.user) askWhether(standing);
  dialog.showModal(); // and when it closes, the focus returns to where it was
  (standing.user ? other.querySelector('button') : signIn.elements.password).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(agreed);
    });
  });
}

/** All that is outside of an open dialog is silent, also the page's own place for announcements. */
function announceIn(dialog, text) {
  const region = document.createElement('p');
  region.className = 'visually-hidden';
  region.role = 'status';
  dialog.append(region);
  setTimeout(() => { region.textContent = text; }, 50);
}

function messages({ ok, detail, ...fields }) {
  return detail ?? Object.values(fields).flat().join(' ');
}

function showTrouble(form, submitter, text) {
  const box = document.createElement('div');
  box.className = 'error-summary save-trouble';
  box.role = 'alert';
  const said = document.createElement('p');
  said.textContent = `${text} Nothing was saved; all that you typed is still here.`;
  const again = document.createElement('button');
  again.type = 'button';
  again.className = 'btn btn-outline-primary';
  again.textContent = 'Try again';
  again.addEventListener('click', () => form.requestSubmit(submitter));
  box.append(said, again);
  form.querySelector('.form-actions').prepend(box); // which stays in view
}
