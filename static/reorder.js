// A list of records in an order: drag the handle, press the arrow keys on it, or use the buttons.
// The buttons that post the form without script act in place here; the list's hidden inputs are the value.
import { announce } from './announce.js';
import { choose } from './choose.js';

function enhance(group) {
  const list = group.querySelector('ol');
  const blank = group.querySelector('template');
  const select = group.querySelector('.ordered-add select');
  const addButton = group.querySelector('.ordered-add button');

  const nameOf = (item) => item.querySelector('.ordered-name').textContent;
  const act = (item, action) => item.querySelector(`[data-act="${action}"]`);

  function refresh() {
    for (const item of list.children) {
      act(item, 'handle').hidden = false;
      act(item, 'up').ariaDisabled = item === list.firstElementChild ? 'true' : null;
      act(item, 'down').ariaDisabled = item === list.lastElementChild ? 'true' : null;
    }
  }

  function changed(message) {
    refresh();
    announce(message);
    list.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function sayPosition(item) {
    const position = [...list.children].indexOf(item) + 1;
    changed(`${nameOf(item)} moved to position ${position} of ${list.children.length}`);
  }

  // The neighbour moves, not the item: an element that is moved in the page loses the focus.
  function move(item, action) {
    const neighbour = action === 'up' ? item.previousElementSibling : item.nextElementSibling;
    if (!neighbour) return;
    if (action === 'up') item.after(neighbour);
    else item.before(neighbour);
    sayPosition(item);
  }

  function remove(item) {
    const name = nameOf(item);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    offer(new Option(name, item.querySelector('input').value));
    item.remove();
    if (next) act(next, 'remove').focus();
    else if (tom) tom.focus();
    else select.focus();
    changed(`${name} removed`);
  }

  function add() {
    const option = select.selectedOptions[0];
    if (!option?.value) return;
    if ([...list.querySelectorAll('input')].some((input) => input.value === option.value)) {
      withdraw(option); // a search finds what is in the list already, too
      return;
    }
    const item = blank.content.firstElementChild.cloneNode(true);
    item.querySelector('input').value = option.value;
    item.querySelector('.ordered-name').textContent = option.text;
    for (const button of item.querySelectorAll('button')) {
      button.ariaLabel = button.ariaLabel.replace('__label__', () => option.text);
    }
    list.append(item);
    withdraw(option);
    changed(`${option.text} added at position ${list.children.length}`);
  }

  // What can be added is what the <select> holds; Tom Select shows the same.
  function offer(option) {
    const after = [...select.options].slice(1).find((other) => other.text.localeCompare(option.text) > 0);
    select.add(option, after);
    tom?.addOption({ value: option.value, text: option.text });
  }

  function withdraw(option) {
    tom?.clear(true);
    tom?.removeOption(option.value, true);
    option.remove();
    select.value = '';
  }

  list.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    event.preventDefault();
    const item = button.closest('li');
    if (button.dataset.act === 'remove') remove(item);
    else if (button.dataset.act !== 'handle') move(item, button.dataset.act);
  });

  list.addEventListener('keydown', (event) => {
    const action = { ArrowUp: 'up', ArrowDown: 'down' }[event.key];
    if (!action || event.target.dataset.act !== 'handle') return;
    event.preventDefault();
    move(event.target.closest('li'), action);
  });

  // On a plain <select> each arrow key chooses already: then the button adds.
  let byKey = false;
  select.addEventListener('keydown', () => { byKey = true; });
  select.addEventListener('pointerdown', () => { byKey = false; });
  select.addEventListener('change', () => { if (!byKey) add(); });
  addButton.addEventListener('click', (event) => {
    event.preventDefault();
    add();
  });

  const tom = window.TomSelect && choose(select, { sortField: [{ field: 'text' }] });
  addButton.hidden = Boolean(tom);
  if (window.Sortable) {
    new Sortable(list, {
      handle: '.ordered-handle',
      animation: 150,
      forceFallback: true, // browsers' own dragging does not start on a button everywhere
      onUpdate: ({ item }) => sayPosition(item),
    });
  }
  refresh();
}

document.querySelectorAll('[data-ordered]').forEach(enhance);
