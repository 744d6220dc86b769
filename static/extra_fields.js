// Says at once when a key is not one: by the pattern, and in the words, that the server gave.
import { announce } from './announce.js';
import { showError } from './field_error.js';

function enhance(group) {
  const { keyPattern, keyMessage, keyRepeated } = group.dataset;
  const pattern = new RegExp(`^(?:${keyPattern})$`);

  // A key that is changed or removed can set another one right: all are looked at again.
  function check({ target }) {
    const seen = new Set();
    for (const input of group.querySelectorAll('.rows-list input[name$="-key"]')) {
      const key = input.value.trim();
      if (key || input === target) {
        const message = key && !pattern.test(key) ? keyMessage : seen.has(key) ? keyRepeated : '';
        if (showError(input, message)) announce(message);
        seen.add(key);
      }
    }
  }

  group.addEventListener('input', check);
  group.addEventListener('change', check);
}

document.querySelectorAll('[data-key-pattern]').forEach(enhance);
