// The browser's own copies of unsaved work: bounded in number, size and age, and each user's own.
const PREFIX = 'brainstem:draft:';
const MOST = 30;
const LARGEST = 500_000; // characters of one draft; browsers give some five million in all
const OLDEST = 30 * 24 * 60 * 60 * 1000;
let closed = false;

function all() {
  const found = [];
  for (const key of Object.keys(localStorage).filter((each) => each.startsWith(PREFIX))) {
    try {
      const draft = JSON.parse(localStorage.getItem(key));
      if (Date.now() - draft.at < OLDEST) found.push(draft);
      else localStorage.removeItem(key);
    } catch {
      localStorage.removeItem(key);
    }
  }
  return found.sort((one, other) => other.at - one.at);
}

/** A user's drafts, the latest first. */
export const draftsOf = (user) => all().filter((draft) => draft.user === user);

/** Keeps a draft, at the cost of the oldest ones; tells whether it could. */
export function put(draft) {
  const text = JSON.stringify(draft);
  if (closed || text.length > LARGEST) return false;
  const others = all().filter(({ id }) => id !== draft.id);
  while (others.length >= MOST) drop(others.pop().id);
  for (;;) {
    try {
      localStorage.setItem(PREFIX + draft.id, text);
      return true;
    } catch { // full
      if (!others.length) return false;
      drop(others.pop().id);
    }
  }
}

export function drop(id) {
  localStorage.removeItem(PREFIX + id);
}

/** Drops a draft that was saved, unless it was worked on after the form had been sent. */
export function dropAsOf(id, sent) {
  const draft = all().find((each) => each.id === id);
  if (draft && draft.at <= Number(sent)) drop(id);
}

/** Forgets a user's drafts, and takes none any more on this page. */
export function forget(user) {
  closed = true;
  draftsOf(user).forEach(({ id }) => drop(id));
}
