/**
 * An element. Texts are set as texts: nothing that anybody typed is ever read as HTML.
 *
 * @param {string} name `div`, or `div.class.other`
 * @param {object} [properties] `on` listens, `data` and names with a dash become attributes, the rest are properties
 * @param {...(Node|string|null|undefined|false)} children
 */
export function element(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split('.')
  const made = document.createElement(tag)
  if (classes.length > 0) made.className = classes.join(' ')
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue
    if (key === 'on') for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener)
    else if (key === 'data') Object.assign(made.dataset, value)
    else if (key.includes('-') || key === 'role') made.setAttribute(key, value)
    else made[key] = value
  }
  made.append(...children.filter((child) => child || child === 0))
  return made
}

let labels = 0

/** A label above its field. */
export function labelled(text, field, hint) {
  field.id ||= `field-${(labels += 1)}`
  return element(
    'div.field',
    {},
    element('label', { htmlFor: field.id }, text),
    field,
    hint && element('span.quiet', {}, hint),
  )
}

/** A part of the page with a heading. */
export function card(title, { id, note } = {}, ...children) {
  const heading = element('h2', { id: id && `${id}-title` }, title)
  const head = element('div.card-head', {}, heading, note && element('p.quiet', {}, note))
  return element('section.card', { id, 'aria-labelledby': id && `${id}-title` }, head, ...children)
}

/** The card of one class; `badge` stands behind its title, `action` at the right. */
export function classSection({ id, title, badge, note, action }, ...children) {
  const heading = element('h2', { id: `class-${id}-title` }, title, badge && ' ', badge)
  const head = element('div.card-head', {}, element('div', {}, heading, element('p.quiet', {}, note)), action)
  return element('section.card.class', { id: `class-${id}`, 'aria-labelledby': `class-${id}-title` }, head, ...children)
}

/**
 * Shows a list anew, and leaves alone what is as it was: an open form, a question, the focus.
 *
 * @param {Element} place
 * @param {{id: string}[]} items
 * @param {(item: object) => Element} make
 */
export function showList(place, items, make) {
  const shown = new Map([...place.children].map((child) => [child.dataset.item, child]))
  const wanted = items.map((item) => {
    const text = JSON.stringify(item)
    if (shown.has(text)) return shown.get(text)
    const made = make(item)
    made.dataset.item = text
    return made
  })
  const isSame = wanted.length === place.children.length && wanted.every((one, index) => one === place.children[index])
  if (!isSame) place.replaceChildren(...wanted)
}

export const plural = (number, one) => `${number} ${number === 1 ? one : `${one}s`}`
