// Values come along with their fields only: their box follows that of the fields.
for (const box of document.querySelectorAll('input[name="take"][value$=".values"]')) {
  const fields = document.querySelector(`input[name="take"][value="${box.value.replace('.values', '')}"]`);
  const follow = () => { box.disabled = !fields.checked; };
  fields.addEventListener('change', follow);
  follow();
}
