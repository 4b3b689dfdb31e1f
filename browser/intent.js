/** Where the keys of open intents are kept: this tab's storage, which outlives a reload and ends with the tab. */
const PREFIX = 'surecal.intent.'

/** For pages that may not use sessionStorage: then a reload begins a new intent. */
const inMemory = new Map()

/**
 * The key of one intent of the user's ("create this class"): the same for every click and reload, until it is settled.
 *
 * @param {string} name
 */
export function createIdempotencyKey(name) {
  if (typeof name !== 'string' || name === '')
    throw new TypeError('createIdempotencyKey: name must be a non-empty text')
  const key = read(name) ?? begin(name)
  return Object.freeze({
    key,
    headers: Object.freeze({ 'Idempotency-Key': key }),
    settle() {
      // Of two answers to one intent the second must not end the next one.
      if (read(name) === key) forget(name)
    },
    toString: () => key,
  })
}

function begin(name) {
  const key = randomKey()
  inMemory.set(name, key)
  try {
    sessionStorage.setItem(PREFIX + name, key)
  } catch {
    // Full or forbidden: the page itself remembers.
  }
  return key
}

function read(name) {
  try {
    return sessionStorage.getItem(PREFIX + name) ?? inMemory.get(name)
  } catch {
    return inMemory.get(name)
  }
}

function forget(name) {
  inMemory.delete(name)
  try {
    sessionStorage.removeItem(PREFIX + name)
  } catch {
    // Then it was never there.
  }
}

/** 128 random bits; crypto.randomUUID is missing on pages without https. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
