// Rows of small fields (extra fields, download links): added from the group's <template>, removed in place.
import { announce } from './announce.js';

function enhance(group) {
  const list = group.querySelector('ul');
  const blank = group.querySelector('template').innerHTML;
  const addButton = group.querySelector('[data-act="add"]');
  const removers = [...list.querySelectorAll('[data-act="remove"]')];
  const indexes = removers.map(({ value }) => Number(value.split(':')[2]));
  let next = Math.max(-1, ...indexes) + 1;

  group.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-act]');
    if (!button) return;
    event.preventDefault();
    if (button === addButton) add();
    else remove(button.closest('li'));
    list.dispatchEvent(new Event('change', { bubbles: true }));
  });

  function add() {
    list.insertAdjacentHTML('beforeend', blank.replaceAll('__index__', next));
    next += 1;
    list.lastElementChild.querySelector('input, select, textarea').focus();
  }

  function remove(row) {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (neighbour?.querySelector('[data-act="remove"]') ?? addButton).focus();
    announce(`Removed, ${list.children.length} left`);
  }
}

document.querySelectorAll('[data-rows]').forEach(enhance);
