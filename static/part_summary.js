// What a part's card says in its line, and what its buttons are called: kept true while somebody types.
const LONGEST = 80;

/** The text of a field, as it reads: the names of what is chosen, or what is typed. */
function textOf(place) {
  const select = place.querySelector('select');
  if (!select) return place.querySelector('input, textarea').value.trim();
  return [...select.selectedOptions].filter(({ value }) => value).map(({ text }) => text).join(', ');
}

/** What a part is called. */
export function titleOf(part) {
  return part.querySelector('[data-title]').textContent;
}

/** What a part is called where another one names it. */
export function choiceOf(part) {
  const { number, title = titleOf(part) } = part.dataset;
  const { label } = part.closest('[data-parts]').dataset;
  if (title !== `${label} ${number}`) return `${number} · ${title}`;
  const [first] = factsOf(part);
  return first ? `${title} · ${first.text}` : title;
}

function factsOf(part) {
  return [...part.querySelectorAll('[data-summed="fact"], [data-summed="span"]')]
    .map((place) => ({ text: textOf(place).slice(0, LONGEST), span: place.dataset.summed === 'span' }))
    .filter(({ text }) => text);
}

const NAMES = {
  handle: (title) => `Reorder ${title}`,
  up: (title) => `Move ${title} up`,
  down: (title) => `Move ${title} down`,
  remove: (title) => `Remove ${title}`,
};

/** What the fields of a part call it; `number` is its place among those that stay, from 1. */
function ownTitle(part, number) {
  const known = part.querySelector('[data-summed="title"]');
  return (known && textOf(known)) || `${part.closest('[data-parts]').dataset.label} ${number}`;
}

/** Writes the lines of the parts that stay anew; where two have one title, their numbers tell them apart. */
export function refreshParts(parts) {
  const titles = parts.map((part, place) => ownTitle(part, place + 1));
  const times = new Map();
  for (const title of titles) times.set(title, (times.get(title) ?? 0) + 1);
  parts.forEach((part, place) => {
    part.dataset.number = place + 1;
    part.dataset.title = titles[place];
    refreshPart(part, times.get(titles[place]) > 1 ? `${titles[place]} (${place + 1})` : titles[place]);
  });
}

function refreshPart(part, title) {
  for (const place of part.querySelectorAll('[data-title]')) write(place, title);
  part.querySelector('[data-fields]').ariaLabel = title;
  for (const [action, name] of Object.entries(NAMES)) {
    const button = part.querySelector(`[data-head] [data-act="${action}"]`);
    if (button) button.ariaLabel = name(title);
  }
  const facts = factsOf(part);
  write(part.querySelector('[data-facts]'), facts
    .map(({ text, span }, place) => (place ? `${span && facts[place - 1].span ? ' – ' : ' · '}${text}` : text))
    .join(''));
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
