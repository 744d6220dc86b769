// Where the links at the top don't fit, the one of this page is in view.
for (const link of document.querySelectorAll('.site-links [aria-current]')) {
  const list = link.closest('ul');
  list.scrollLeft = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
}

// The menu at the top: Escape, a click elsewhere, or the focus going elsewhere closes it.
for (const menu of document.querySelectorAll('[data-menu]')) {
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
  menu.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
  });
  // What is opened to be filled in is ready to be typed into.
  menu.addEventListener('toggle', () => {
    if (menu.open) menu.querySelector('input[type="text"], input:not([type])')?.focus();
  });
  document.addEventListener('click', ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
}
