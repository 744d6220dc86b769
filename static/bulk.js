// Several records at once: how many of a list are ticked, all of a page, a range by Shift; patience.
// Lists are drawn anew while somebody types in their search, so nothing here keeps hold of their parts.
import { announce } from './announce.js';

const BAR = 'form[data-bulk]';
const BOX = 'input[type="checkbox"][name="ids"][form="bulk"]';
let last;

const boxes = () => [...document.querySelectorAll(BOX)];
const chosen = () => boxes().filter((box) => box.checked).length;

function words(bar, number) {
  return number ? `${number} ${number === 1 ? bar.dataset.one : bar.dataset.several} selected` : 'Nothing selected';
}

/** Brings the bar up to date with the boxes. */
function show() {
  const bar = document.querySelector(BAR);
  if (!bar) return;
  const [number, of] = [chosen(), boxes().length];
  const all = bar.querySelector('[data-bulk-all]');
  const count = bar.querySelector('[data-bulk-count]');
  bar.dataset.idle ??= count.textContent;
  all.checked = number > 0 && number === of;
  all.indeterminate = number > 0 && number < of;
  const text = number ? words(bar, number) : bar.dataset.idle;
  if (count.textContent !== text) count.textContent = text;
  bar.classList.toggle('bulk-active', number > 0);
  for (const box of boxes()) box.closest('tr')?.classList.toggle('row-selected', box.checked);
}

function tick(event) {
  if (event.target.matches('[data-bulk-all]')) {
    for (const box of boxes()) box.checked = event.target.checked;
  } else if (!event.target.matches(BOX)) {
    return;
  }
  show();
  announce(words(document.querySelector(BAR), chosen()));
}

/** With Shift, everything between this box and the last one. */
function stretch(event) {
  if (!event.target.matches(BOX)) return;
  const every = boxes();
  const [here, there] = [every.indexOf(event.target), every.indexOf(last)];
  if (event.shiftKey && there >= 0) {
    const [from, to] = [Math.min(here, there), Math.max(here, there)];
    for (const box of every.slice(from, to + 1)) box.checked = event.target.checked;
  }
  last = event.target;
}

function submit(event) {
  const button = event.submitter;
  if (event.target.matches(BAR) && button?.matches('[data-bulk-edit]') && !chosen()) {
    event.preventDefault();
    announce(`Select some ${event.target.dataset.several} first`);
    boxes()[0]?.focus();
  }
}

/** One change at a time, and a word while it lasts. */
function wait(form) {
  const button = form.querySelector('.btn-primary');
  const label = button?.textContent;
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    } else if (button && event.submitter === button) {
      form.dataset.sent = 'yes';
      button.setAttribute('aria-disabled', 'true');
      button.textContent = `Changing ${form.dataset.wait}…`;
      announce(button.textContent);
    }
  });
  window.addEventListener('pageshow', () => {
    delete form.dataset.sent;
    button?.removeAttribute('aria-disabled');
    if (button) button.textContent = label;
  });
}

document.querySelectorAll('form[data-wait]').forEach(wait);
if (document.querySelector(BAR)) {
  document.addEventListener('click', stretch);
  document.addEventListener('change', tick);
  document.addEventListener('submit', submit);
  // A browser ticks boxes again when one comes back to a page.
  window.addEventListener('pageshow', show);
  new MutationObserver(show).observe(document.querySelector('main'), { childList: true, subtree: true });
  show();
}
