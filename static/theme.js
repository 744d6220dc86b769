// Light or dark as the system says, and light on paper. It runs before the page is drawn, so that nothing flashes.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const paper = matchMedia('print');
  const apply = () => {
    document.documentElement.dataset.bsTheme = dark.matches && !paper.matches ? 'dark' : 'light';
  };
  apply();
  dark.addEventListener('change', apply);
  paper.addEventListener('change', apply);
})();
