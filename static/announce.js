const region = document.getElementById('announcer');
let pending;

/** Has a screen reader say what changed. Emptied first, or the same words twice would be silent. */
export function announce(text) {
  region.textContent = '';
  clearTimeout(pending);
  pending = setTimeout(() => {
    region.textContent = text;
    pending = setTimeout(() => { region.textContent = ''; }, 5000); // it is old news then
  }, 50);
}
