// Tom Select, as refs.js, tags.js and reorder.js use it.
import { announce } from './announce.js';

/** A chosen item: its text, and a button that the Tab key reaches. */
function renderItem(tom, { value, text }) {
  const item = document.createElement('div');
  const remove = document.createElement('button');
  remove.type = 'button';
  remove.className = 'chip-remove';
  remove.setAttribute('aria-label', `Remove ${text}`);
  remove.addEventListener('click', (event) => {
    event.stopPropagation();
    tom.removeItem(value);
    tom.focus();
  });
  item.append(text, remove);
  return item;
}

/** Asks the server for what the page has no room for. */
export function searchAt(address, made = (choice) => choice) {
  return async (text, show) => {
    try {
      const asked = new URL(address, window.location.href);
      asked.searchParams.set('q', text);
      const answer = await fetch(asked);
      show(answer.ok ? (await answer.json()).choices.map(made) : []);
    } catch {
      show([]);
    }
  };
}

/**
 * A closed list stays closed until somebody types or asks for it: it lies over what stands below, such as
 * the button that saves. Tom Select opens it again for letters from before, and for what is found late.
 */
function stayClosed(tom) {
  tom.hook('after', 'close', () => clearTimeout(tom.refreshTimeout));
  const { loadCallback } = tom;
  tom.loadCallback = (...found) => {
    if (!tom.isOpen) tom.open = () => {};
    loadCallback.apply(tom, found);
    delete tom.open; // the class has the real one
  };
}

/** What is wrong stands right below the field: whom the summary leads there shall see that, and no list over it. */
function showTheMessage(tom, id) {
  const { openOnFocus } = tom.settings;
  const links = document.querySelectorAll('[data-error-summary] a');
  for (const link of [...links].filter(({ hash }) => hash === `#${id}`)) {
    link.addEventListener('click', () => { tom.settings.openOnFocus = false; });
  }
  tom.on('focus', () => setTimeout(() => { tom.settings.openOnFocus = openOnFocus; }));
}

/**
 * Puts Tom Select over a <select>. Its text box takes over the id, the label and the error marks,
 * so that links, labels and screen readers find the control that is used.
 */
export function choose(select, settings = {}) {
  const { id } = select;
  select.className = ''; // Tom Select would copy it to what it draws
  document.getElementById(`${id.replace(/-add$/, '')}-others`)?.remove();
  const tom = new TomSelect(select, {
    maxOptions: null,
    closeAfterSelect: true,
    refreshThrottle: 0, // or a quick Enter would take what was found for the letters before
    ...(select.dataset.searchAt && { load: searchAt(select.dataset.searchAt), shouldLoad: (text) => text.length > 1 }),
    ...settings,
    render: {
      ...(select.multiple && { item(data) { return renderItem(this, data); } }),
      no_results: () => '<div class="no-results" role="option" aria-disabled="true">Nothing found</div>',
      ...settings.render,
    },
  });
  const box = tom.control_input;
  select.hidden = true;
  select.id = `${id}-source`;
  box.id = id;
  document.querySelector(`label[for="${id}-ts-control"]`).htmlFor = id;
  box.removeAttribute('aria-labelledby');
  tom.dropdown_content.removeAttribute('aria-labelledby');
  tom.dropdown_content.setAttribute('aria-label', 'Choices');
  for (const name of ['aria-invalid', 'aria-describedby']) {
    if (select.hasAttribute(name)) box.setAttribute(name, select.getAttribute(name));
  }
  if (select.required) box.setAttribute('aria-required', 'true');
  box.addEventListener('keydown', (event) => { // Enter chooses; it never sends the form from here
    if (event.key === 'Enter') event.preventDefault();
  });

  stayClosed(tom);
  showTheMessage(tom, id);
  if (select.multiple) {
    tom.on('item_add', (value, item) => announce(`${item.textContent} added`));
    tom.on('item_remove', (value, item) => announce(`${item.textContent} removed`));
  }
  return tom;
}
