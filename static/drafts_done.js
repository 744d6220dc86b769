// On every page: drafts whose form was saved are dropped, and signing out forgets the others.
import { draftsOf, dropAsOf, forget } from './draft_store.js';

const { savedDraft } = document.documentElement.dataset;
if (savedDraft) dropAsOf(...savedDraft.split('-'));

for (const form of document.querySelectorAll('form[data-sign-out]')) {
  form.addEventListener('submit', (event) => {
    const user = form.dataset.signOut;
    const question = 'There is unsaved work of yours in this browser. Signing out discards it.';
    // The browser's own question: it stands between the two whatever page this is.
    if (draftsOf(user).length && !window.confirm(question)) event.preventDefault();
    else forget(user);
  });
}
