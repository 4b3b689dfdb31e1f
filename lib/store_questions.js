'use strict'

/**
 * Answers what the native part asks of the program's own store object. Answers are JSON text or null; one that is not
 * what the method promises is an exception, for then it is not known what became of a put.
 *
 * @param {object} question
 * @param {{get: Function, put: Function, delete: Function, open: Function} | undefined} store
 * @returns {Promise<string | null>}
 */
async function answerStoreQuestion(question, store) {
  if (!store) throw new Error('there is no store object')
  switch (question.type) {
    case 'storeGet':
      return foundText(await store.get(question.key))
    case 'storePut': {
      const { key, value, expected, version, ttlMs } = question
      return whetherText(await store.put(key, value, { expected: expected ?? null, version, ttlMs: ttlMs ?? null }))
    }
    case 'storeDelete':
      return whetherText(await store.delete(question.key, question.expected))
    case 'storeOpen':
      return entriesText(await store.open(question.prefix))
    default:
      throw new Error('a question that nobody knows')
  }
}

const isStoreQuestion = ({ type }) => typeof type === 'string' && type.startsWith('store')

const foundText = (found) => (found === null || found === undefined ? null : JSON.stringify(recordOf(found)))

/** Documents of a database have more fields; only these cross. */
function recordOf({ value, version }) {
  if (typeof value !== 'string' || typeof version !== 'string') throw new TypeError('value and version must be text')
  return { value, version }
}

/** To take anything else for "nothing is open" would leave open work undone. */
function entriesText(entries) {
  if (!Array.isArray(entries)) throw new TypeError('open must give a list')
  return JSON.stringify(entries.map(entryOf))
}

function entryOf(entry) {
  if (typeof entry.key !== 'string') throw new TypeError('key must be text')
  return { key: entry.key, ...recordOf(entry) }
}

/** A count or a document is not taken for "yes": a store that answers so may mean something else by it. */
function whetherText(whether) {
  if (typeof whether !== 'boolean') throw new TypeError('put and delete must give true or false')
  return JSON.stringify(whether)
}

module.exports = { answerStoreQuestion, isStoreQuestion }
