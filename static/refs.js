// Fields of several records (Projects): a list to search in, over a <select multiple>.
import { choose } from './choose.js';

if (window.TomSelect) document.querySelectorAll('select[data-refs]').forEach((select) => choose(select));
