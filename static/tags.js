// Tags: Enter or a comma ends one. The text field stays the carrier of the value, with commas between
// the tags and quotes around a tag that has a comma itself; untouched, it is sent as it came.
import { choose, searchAt } from './choose.js';

const split = (text) => [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)]
  .map(([, quoted, plain]) => (quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"').trim()))
  .filter(Boolean);

const join = (tags) => tags
  .map((tag) => (/[",\n\r]/.test(tag) ? `"${tag.replaceAll('"', '""')}"` : tag))
  .join(', ');

// Tom Select keeps its choices in an object: a prefix, so that a tag may be called “constructor”.
const valueOf = (tag) => `=${tag}`;
const tagOf = (value) => value.slice(1);

function enhance(field) {
  const help = document.getElementById(`${field.id}-help`);
  if (help) help.textContent = 'Enter or a comma ends a tag.';
  const select = document.createElement('select');
  select.multiple = true;
  const chosen = split(field.value);
  for (const tag of new Set([...chosen, ...JSON.parse(field.dataset.tags)])) {
    select.add(new Option(tag, valueOf(tag), false, chosen.includes(tag)));
  }
  select.id = field.id;
  select.required = field.required;
  for (const name of ['aria-invalid', 'aria-describedby']) {
    if (field.hasAttribute(name)) select.setAttribute(name, field.getAttribute(name));
  }
  field.removeAttribute('id');
  field.hidden = true;
  field.after(select);

  const tom = choose(select, {
    create: (text) => (text.trim() ? { value: valueOf(text.trim()), text: text.trim() } : false),
    createOnBlur: true,
    addPrecedence: true, // Enter takes what was typed, not the nearest suggestion
    openOnFocus: false,
    maxOptions: 50,
    ...(field.dataset.searchAt && {
      load: searchAt(field.dataset.searchAt, ({ text }) => ({ value: valueOf(text), text })),
    }),
    render: {
      no_results: null,
      option_create: ({ input }, escape) => `<div class="create" role="option">Add <strong>${escape(input)}</strong></div>`,
    },
  });
  tom.hook('after', 'createItem', () => tom.close()); // the comma alone would leave it open
  tom.on('change', () => { field.value = join(tom.items.map(tagOf)); });
}

if (window.TomSelect) document.querySelectorAll('[data-tags]').forEach(enhance);
