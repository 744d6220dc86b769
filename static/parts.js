// The parts of a record in its form: cards that are added, edited, arranged and removed in place. The buttons
// that post the form without script act here. A part that is removed can be kept until the form is saved.
import { announce } from './announce.js';
import { fill, syncChecks } from './part_choices.js';
import { refreshParts, titleOf } from './part_summary.js';

const sections = [...document.querySelectorAll('[data-parts]')];

/** An id that works without https too, where `crypto.randomUUID` is missing. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] % 16) + 64;
  bytes[8] = (bytes[8] % 64) + 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function enhance(section) {
  const list = section.querySelector('ol');
  const blank = section.querySelector('template[data-blank]').innerHTML;
  const addButton = section.querySelector(':scope > [data-act="add"]');
  const none = section.querySelector('[data-none]');
  const count = document.querySelector(`[data-count="${CSS.escape(section.dataset.parts)}"]`);
  const placed = list.classList.contains('is-placed');

  const partsIn = () => [...list.children];
  const kept = () => partsIn().filter((part) => !part.classList.contains('is-removed'));
  const act = (part, action) => part.querySelector(`[data-act="${action}"]`);

  function refresh() {
    const parts = kept();
    refreshParts(parts);
    parts.forEach((part, place) => {
      if (!placed) return;
      act(part, 'handle').hidden = false;
      act(part, 'up').ariaDisabled = place === 0 ? 'true' : null;
      act(part, 'down').ariaDisabled = place === parts.length - 1 ? 'true' : null;
    });
    none.hidden = list.children.length > 0;
    if (count) count.textContent = parts.length || '';
    syncChecks(section);
  }

  function changed(message) {
    refresh();
    if (message) announce(message);
    list.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function add() {
    const index = Math.max(-1, ...partsIn().map((part) => Number(part.dataset.index))) + 1;
    list.insertAdjacentHTML('beforeend', blank.replaceAll('__index__', index));
    const part = list.lastElementChild;
    part.querySelector('input[name$="-id"]').value = newId();
    part.dataset.added = '';
    watch(part);
    changed();
    fill(part);
    part.querySelector('[data-fields]').querySelector('input:not([type=hidden]), select:not([hidden]), textarea').focus();
  }

  function setRemoved(part, yes) {
    part.querySelector('input[name$="-removed"]').value = yes ? '1' : '';
    part.classList.toggle('is-removed', yes);
    part.querySelector('[data-gone]').hidden = !yes;
    part.querySelector('[data-head]').hidden = yes;
    part.querySelector('[data-card]').hidden = yes;
  }

  function remove(part) {
    const title = titleOf(part);
    const typed = [...part.querySelectorAll('[data-fields] :is(input, select, textarea)')]
      .some((field) => (field.type === 'checkbox' ? field.checked : field.value));
    if ('added' in part.dataset && !typed) {
      const next = part.nextElementSibling ?? part.previousElementSibling;
      part.remove();
      (next?.querySelector('summary') ?? addButton).focus();
      changed(`${title} removed`);
      return;
    }
    setRemoved(part, true);
    act(part, 'keep').focus();
    changed(`${title} will be removed when you save`);
  }

  function keep(part) {
    setRemoved(part, false);
    part.querySelector('summary').focus();
    changed(`${titleOf(part)} is kept`);
  }

  function sayPlace(part) {
    const parts = kept();
    changed(`${titleOf(part)} moved to position ${parts.indexOf(part) + 1} of ${parts.length}`);
  }

  // The neighbour moves, not the part: an element that is moved in the page loses the focus.
  function move(part, action) {
    const parts = kept();
    const neighbour = parts[parts.indexOf(part) + (action === 'up' ? -1 : 1)];
    if (!neighbour) return;
    if (action === 'up') part.after(neighbour);
    else part.before(neighbour);
    sayPlace(part);
  }

  function watch(part) {
    const card = part.querySelector('[data-card]');
    // Before it opens, so that nobody meets a field that is not whole yet.
    card.querySelector('summary').addEventListener('click', () => fill(part));
    card.addEventListener('toggle', () => { if (card.open) fill(part); });
    if (card.open) fill(part);
  }

  section.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-act]');
    const part = button?.closest('[data-part]');
    const group = button?.closest('[data-rows]');
    if (!button || (group && section.contains(group))) return; // rows.js does those
    event.preventDefault();
    if (button === addButton) add();
    else if (button.dataset.act === 'remove') remove(part);
    else if (button.dataset.act === 'keep') keep(part);
    else if (button.dataset.act !== 'handle') move(part, button.dataset.act);
  });

  list.addEventListener('keydown', (event) => {
    const action = { ArrowUp: 'up', ArrowDown: 'down' }[event.key];
    if (!action || event.target.dataset.act !== 'handle') return;
    event.preventDefault();
    move(event.target.closest('[data-part]'), action);
  });

  list.addEventListener('input', refresh);
  list.addEventListener('change', (event) => { if (event.target !== list) refresh(); });

  if (placed && window.Sortable) {
    new Sortable(list, {
      handle: '.ordered-handle',
      animation: 150,
      forceFallback: true, // browsers' own dragging does not start on a button everywhere
      onUpdate: ({ item }) => sayPlace(item),
    });
  }
  partsIn().forEach(watch);
  refresh();
}

sections.forEach(enhance);
