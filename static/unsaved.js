// Asks before a form with unsaved work is left.
for (const form of document.querySelectorAll('form[data-unsaved]')) {
  let unsaved = form.dataset.unsaved === 'yes';
  const note = () => { unsaved = true; };
  form.addEventListener('input', note);
  form.addEventListener('change', note);
  form.addEventListener('submit', (event) => { unsaved &&= event.defaultPrevented; });
  window.addEventListener('beforeunload', (event) => { if (unsaved) event.preventDefault(); });
}
