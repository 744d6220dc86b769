// Buttons that copy the text of a field. The clipboard needs https; the older command works without.
import { announce } from './announce.js';

for (const button of document.querySelectorAll('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    field.select();
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
    else document.execCommand('copy');
    button.textContent = 'Copied';
    announce('Copied');
  });
}
