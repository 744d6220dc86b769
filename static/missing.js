// What a record is not complete without: the list stays true while somebody types.
const list = document.querySelector('[data-missing]');
const form = document.querySelector('.record-form');
if (list && form) {
  form.addEventListener('input', refresh);
  form.addEventListener('change', refresh);
  refresh();
}

function given(name) {
  const parts = form.querySelector(`[data-parts="${CSS.escape(name)}"]`);
  if (parts) return Boolean(parts.querySelector('[data-part]:not(.is-removed)'));
  return [...form.elements]
    .filter((field) => field.name === name || field.name.startsWith(`${name}-`))
    .some((field) => (field.type === 'checkbox' || field.type === 'radio' ? field.checked : field.value.trim()));
}

function refresh() {
  const links = [...list.querySelectorAll('[data-wanted]')];
  for (const link of links) link.hidden = given(link.dataset.wanted);
  list.hidden = links.every((link) => link.hidden);
}
