// Says at once when a key is not one: by the pattern, and in the words, that the server gave.
import { announce } from './announce.js';

function enhance(group) {
  const { keyPattern, keyMessage, keyRepeated } = group.dataset;
  const pattern = new RegExp(`^(?:${keyPattern})$`);
  const keys = () => [...group.querySelectorAll('.rows-list input[name$="-key"]')];

  function problem(input, all) {
    const key = input.value.trim();
    if (!key) return '';
    if (!pattern.test(key)) return keyMessage;
    const first = all.find((other) => other.value.trim() === key);
    return first === input ? '' : keyRepeated;
  }

  function show(input, message) {
    const id = `${input.id}-error`;
    const shown = document.getElementById(id);
    if (shown?.textContent === message) return;
    shown?.remove();
    input.toggleAttribute('aria-invalid', Boolean(message));
    if (!message) {
      input.removeAttribute('aria-invalid');
      input.removeAttribute('aria-describedby');
      return;
    }
    const note = document.createElement('p');
    note.className = 'field-error';
    note.id = id;
    note.textContent = message;
    input.after(note);
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', id);
    announce(message);
  }

  // A key that is changed or removed can set another one right: all are looked at again.
  function check({ target }) {
    const all = keys();
    if (target.matches?.('select')) return;
    all.forEach((input) => show(input, problem(input, all)));
  }

  group.addEventListener('input', check);
  group.addEventListener('change', check);
}

document.querySelectorAll('[data-key-pattern]').forEach(enhance);
