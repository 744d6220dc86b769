// Buttons that copy the text of a field, or of a piece of the page. The clipboard needs https; the older
// command works without.
import { announce } from './announce.js';

const buttons = [...document.querySelectorAll('[data-copy]')];

for (const button of buttons) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    if (navigator.clipboard) await navigator.clipboard.writeText(source.value ?? source.textContent);
    else document.execCommand('copy');
    for (const each of buttons) each.textContent = each === button ? 'Copied' : 'Copy';
    announce('Copied');
  });
}
