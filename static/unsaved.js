// Asks before a page with unsaved work is left.
const unsaved = new Set();

/** Says whether a form has work in it that nobody has saved. */
export function setUnsaved(form, yes) {
  if (yes) unsaved.add(form);
  else unsaved.delete(form);
}

for (const form of document.querySelectorAll('form[data-unsaved]')) {
  const note = () => setUnsaved(form, true);
  if (form.dataset.unsaved === 'yes') note();
  form.addEventListener('input', note);
  form.addEventListener('change', note);
}

// On the window, after all others have had the chance to keep the form from being sent.
window.addEventListener('submit', (event) => {
  if (!event.defaultPrevented) setUnsaved(event.target, false);
});
window.addEventListener('beforeunload', (event) => { if (unsaved.size) event.preventDefault(); });
