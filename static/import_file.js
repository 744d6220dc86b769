// The file field of the import page: a file can also be dropped, on the field or beside it.
import { announce } from './announce.js';
import { showError } from './field_error.js';

const zone = document.querySelector('[data-drop]');
const field = zone.querySelector('input[type="file"]');
let depth = 0; // of the elements in the zone that the pointer has entered

const mark = (change) => {
  depth = Math.max(depth + change, 0);
  zone.classList.toggle('dropping', depth > 0);
};

zone.addEventListener('dragenter', (event) => { event.preventDefault(); mark(1); });
zone.addEventListener('dragleave', () => mark(-1));
zone.addEventListener('dragover', (event) => event.preventDefault());
zone.addEventListener('drop', (event) => {
  event.preventDefault();
  mark(-depth);
  if (!event.dataTransfer.files.length) return;
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  field.files = one.files;
  field.dispatchEvent(new Event('change', { bubbles: true }));
  announce(`${event.dataTransfer.files[0].name} is chosen`);
});

// Next to the field, a file would open in place of the page.
for (const type of ['dragover', 'drop']) {
  window.addEventListener(type, (event) => event.preventDefault());
}

// Before a large file travels in vain.
field.addEventListener('change', () => {
  const most = Number(zone.dataset.most);
  const large = field.files.length > 0 && field.files[0].size > most;
  const words = `This file is larger than ${Math.round(most / 1048576)} MB. Divide it into several files.`;
  if (showError(field, large ? words : '')) announce(words);
});
field.form.addEventListener('submit', (event) => {
  if (field.getAttribute('aria-invalid') === 'true' && field.files.length > 0) {
    event.preventDefault();
    field.focus();
  }
});
