// A browser sends nothing for a date that is typed by half, and so it would be lost in silence. The server
// hears of it, says so beside all else that is wrong, and shows the date that stood there before again.
const HALF = 'half '; // as DateTimeEntry reads it

document.addEventListener('formdata', ({ target: form, formData }) => {
  for (const field of form.elements) {
    if (field.type === 'datetime-local' && field.validity.badInput) formData.set(field.name, HALF + field.defaultValue);
  }
});
