// A date that is typed by half would be sent as none, and so be lost: the form waits until it is whole.
import { showError } from './field_error.js';

for (const field of document.querySelectorAll('input[type="datetime-local"]')) {
  field.form.addEventListener('submit', (event) => {
    if (!field.validity.badInput) return;
    event.preventDefault();
    showError(field, 'This date is not complete.');
    field.focus();
  });
  field.addEventListener('input', () => showError(field, ''));
}
