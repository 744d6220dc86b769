// The reference: buttons that copy the examples, and the language that was chosen last.
import { announce } from './announce.js';

const KEY = 'reference-language';

for (const choice of document.querySelectorAll('[data-languages]')) {
  const last = localStorage.getItem(KEY);
  for (const radio of choice.querySelectorAll('input')) {
    if (radio.value === last) radio.checked = true;
    radio.addEventListener('change', () => localStorage.setItem(KEY, radio.value));
  }
}

// The clipboard needs https; the older command copies what is selected.
async function copy(code) {
  if (navigator.clipboard) return navigator.clipboard.writeText(code.textContent);
  getSelection().selectAllChildren(code);
  document.execCommand('copy');
  getSelection().removeAllRanges();
}

for (const block of document.querySelectorAll('[data-copyable]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn btn-sm btn-outline-primary ref-copy';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', `Copy: ${block.querySelector('pre').getAttribute('aria-label')}`);
  button.addEventListener('click', async () => {
    await copy(block.querySelector('code'));
    button.textContent = 'Copied';
    announce('Copied');
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  block.append(button);
}
