/** Shows a message at a field as the server would, or with '' takes it away; tells whether it is new. */
export function showError(field, message) {
  const id = `${field.id}-error`;
  const shown = document.getElementById(id);
  if ((shown?.textContent ?? '') === message) return false;
  shown?.remove();

  const described = (field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean);
  const others = described.filter((other) => other !== id);
  if (message) {
    const note = document.createElement('p');
    note.className = 'field-error';
    note.id = id;
    note.textContent = message;
    field.after(note);
    others.unshift(id);
  }
  field.setAttribute('aria-describedby', others.join(' '));
  field.setAttribute('aria-invalid', String(Boolean(message)));
  return Boolean(message);
}
