// How far an import is, asked for again and again; at its end the page shows what came of it.
import { announce } from './announce.js';

const section = document.querySelector('[data-progress]');
const bar = section.querySelector('progress');
const text = section.querySelector('[data-done]');
let told = 0; // the last quarter that was read out

async function ask() {
  try {
    const response = await fetch(section.dataset.progress, { headers: { Accept: 'application/json' } });
    if (!response.ok || response.redirected) throw new Error(response.status);
    const { running, done, total } = await response.json();
    if (!running) {
      window.location.reload();
      return;
    }
    if (text) {
      bar.value = done;
      text.textContent = done.toLocaleString('en');
    }
    const quarter = Math.floor((4 * done) / total);
    if (text && quarter > told) {
      told = quarter;
      announce(`${quarter * 25} percent`);
    }
  } catch {
    // The network is away, or the sign-in has ended: the page stays, and asks on.
  }
  setTimeout(ask, 1000);
}

ask();
