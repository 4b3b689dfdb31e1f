'use strict'

// A store object of the program's own: what crosses, and what an answer of another type means.

const { loadOverFake } = require('./fakes/load')

/** The four methods over a Map, as a document database would have them. */
class MapStore {
  entries = new Map()

  get(key) {
    return this.entries.get(key)
  }

  async put(key, value, { expected, version, ttlMs }) {
    if ((this.entries.get(key)?.version ?? null) !== expected) return false
    this.entries.set(key, { _id: key, value, version, ttlMs })
    return true
  }

  async delete(key, expected) {
    return this.entries.get(key)?.version === expected && this.entries.delete(key)
  }

  async open(prefix) {
    const open = [...this.entries].filter(([key, { ttlMs }]) => ttlMs === null && key.startsWith(prefix))
    return open.map(([key, entry]) => ({ key, ...entry }))
  }
}

let surecal, fake
beforeEach(() => {
  ;({ surecal, fake } = loadOverFake())
})

const serviceOver = (store) => {
  new surecal.CalendarService({ store })
  return fake.services.at(-1)
}

test('its methods are asked with their object, and their answers cross as text', async () => {
  const { ask, config } = serviceOver(new MapStore())
  expect(config.store).toEqual({ custom: true })
  const put = (more) => ask(JSON.stringify({ type: 'storePut', key: 'journal/1', value: 'a', expected: null, ...more }))
  await expect(ask('{"type":"storeGet","key":"journal/1"}')).resolves.toBeNull()
  await expect(put({ version: 'v1', ttlMs: null })).resolves.toBe('true')
  await expect(put({ version: 'v2', ttlMs: null })).resolves.toBe('false')
  await expect(ask('{"type":"storeGet","key":"journal/1"}')).resolves.toBe('{"value":"a","version":"v1"}')
  await put({ key: 'journal/2', version: 'v3', ttlMs: 5 })
  await expect(ask('{"type":"storeOpen","prefix":"journal/"}')).resolves.toBe(
    '[{"key":"journal/1","value":"a","version":"v1"}]',
  )
  await expect(ask('{"type":"storeDelete","key":"journal/1","expected":"v9"}')).resolves.toBe('false')
  await expect(ask('{"type":"storeDelete","key":"journal/1","expected":"v1"}')).resolves.toBe('true')
})

test.each([
  ['a count for a put', { put: () => 1 }, { type: 'storePut', key: 'a', value: 'b', version: 'c' }],
  ['nothing for a put', { put: () => undefined }, { type: 'storePut', key: 'a', value: 'b', version: 'c' }],
  [
    'a document for a delete',
    { delete: () => ({ deletedCount: 1 }) },
    { type: 'storeDelete', key: 'a', expected: 'b' },
  ],
  ['a number as version', { get: () => ({ value: 'a', version: 1 }) }, { type: 'storeGet', key: 'a' }],
  ['one entry instead of a list', { open: () => ({ key: 'a' }) }, { type: 'storeOpen', prefix: 'a' }],
  ['an entry without a key', { open: () => [{ value: 'a', version: 'b' }] }, { type: 'storeOpen', prefix: 'a' }],
  [
    'an exception',
    {
      get: () => {
        throw new Error('down')
      },
    },
    { type: 'storeGet', key: 'a' },
  ],
])('%s is no answer', async (_what, methods, question) => {
  const { ask } = serviceOver(Object.assign(new MapStore(), methods))
  await expect(ask(JSON.stringify(question))).rejects.toThrow()
})

test.each([
  [{ get() {} }, 'store.put must be a function'],
  [Object.assign(new MapStore(), { open: true }), 'store.open must be a function'],
])('a store object that lacks a method is refused at once', (store, words) => {
  expect(() => new surecal.CalendarService({ store })).toThrow(words)
})

test('words and settings are left to the native part', () => {
  for (const store of ['memory', { sqlite: 'calendar.db' }, { redis: 'redis://localhost' }]) {
    expect(serviceOver(store).config.store).toEqual(store)
  }
})
