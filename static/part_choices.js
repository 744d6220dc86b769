// What can be chosen in a part. What many parts offer stands in the page once, and is put into a card when it
// is first opened; parts that name other parts of the form offer those that are in it now.
import { choose } from './choose.js';
import { choiceOf, titleOf } from './part_summary.js';

/** Puts all that can be chosen into a part's fields. */
export function fill(part) {
  if ('filled' in part.dataset) return;
  part.dataset.filled = '';
  for (const select of part.querySelectorAll('select[data-choices]')) {
    if (!('whole' in select.dataset)) complete(select);
    if (window.TomSelect && (select.multiple || select.dataset.searchAt)) choose(select);
  }
  for (const group of part.querySelectorAll('[data-checks]')) offer(group);
}

function complete(select) {
  const shared = document.querySelector(`template[data-choices-of="${CSS.escape(select.dataset.choices)}"]`);
  if (!shared) return;
  const chosen = [...select.selectedOptions].map(({ value, text }) => ({ value, text }));
  const values = new Set(chosen.map(({ value }) => value));
  const options = [...shared.content.cloneNode(true).querySelectorAll('option')];
  const known = new Set(options.map(({ value }) => value));
  // Of several the chosen ones come first, in their order: that is the order in which they are sent.
  const first = chosen.filter(({ value }) => select.multiple || !known.has(value));
  const others = options.filter(({ value }) => !select.multiple || !values.has(value));
  select.replaceChildren(...first.map(({ value, text }) => new Option(text, value)), ...others);
  for (const option of select.options) option.selected = values.has(option.value);
  if (shared.dataset.searchAt) select.dataset.searchAt = shared.dataset.searchAt;
}

/** Has all parts that name those of a section offer them as they are now. */
export function syncChecks(section) {
  const name = CSS.escape(section.dataset.parts);
  for (const group of document.querySelectorAll(`[data-checks="${name}"]`)) offer(group);
}

/** Draws the boxes of a group: of an opened part all that can be ticked, of a closed one what is ticked. */
function offer(group) {
  const section = document.querySelector(`[data-parts="${CSS.escape(group.dataset.checks)}"]`);
  const filled = 'filled' in group.closest('[data-part]').dataset;
  const box = group.querySelector('.checks');
  const drawn = new Map([...box.querySelectorAll('input')].map((input) => [input.value, input]));
  let before = box.firstElementChild;
  for (const part of section?.querySelectorAll('[data-part]') ?? []) {
    const id = part.querySelector('input[name$="-id"]').value;
    const removed = part.classList.contains('is-removed');
    const text = removed ? `${titleOf(part)} (will be removed)` : choiceOf(part);
    const input = drawn.get(id);
    drawn.delete(id);
    if (!input && (removed || !filled)) continue;
    const line = input?.closest('.form-check') ?? newBox(group, id);
    const label = line.querySelector('label');
    if (label.textContent !== text) label.textContent = text;
    if (line === before) before = before.nextElementSibling;
    else box.insertBefore(line, before);
  }
  // What is not in this form stays chosen; what was added and taken out again does not.
  for (const [, input] of drawn) if ('added' in input.dataset) input.closest('.form-check').remove();
  group.querySelector('[data-no-checks]').hidden = box.children.length > 0 || !filled;
}

function newBox(group, id) {
  const line = document.createElement('div');
  const input = document.createElement('input');
  const label = document.createElement('label');
  line.className = 'form-check';
  Object.assign(input, { className: 'form-check-input', type: 'checkbox', id: `${group.id}-${id}`, name: group.dataset.name, value: id });
  input.dataset.added = '';
  label.className = 'form-check-label';
  label.htmlFor = input.id;
  line.append(input, label);
  return line;
}
