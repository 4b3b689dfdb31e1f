'use strict'

// The header is whatever a client sends. What must hold of every one is tried with many, of a fixed seed.

const fc = require('fast-check')
const { keyOf, printOf, derivedKey } = require('../lib/express/request_print')

fc.configureGlobal({ seed: 20270301, numRuns: 500 })

const NAMES = ['idempotency-key', 'x-idempotency-key']
const letter = (from) => fc.integer({ min: from.charCodeAt(0), max: 0x7e }).map((code) => String.fromCharCode(code))
const key = fc.string({ unit: letter(' '), minLength: 1, maxLength: 255 })
const read = (value, other) => keyOf({ headers: { [NAMES[0]]: value, ...(other && { [NAMES[1]]: other }) } }, NAMES)
const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`
/** A bare key has no space around it, which HTTP takes away, and no quote before it. */
const bare = key.map((text) => text.trim()).filter((text) => text.length > 0 && !text.startsWith('"'))

const holds = (...args) => fc.assert(fc.property(...args))

test('every key of visible ASCII comes out of its quoted form as it went in', () => {
  holds(key, fc.constantFrom('', ' ', '\t'), (text, space) => {
    expect(read(`${space}${quoted(text)}${space}`)).toEqual({ key: text })
  })
})

test('a bare key is the key, and the same in the other header or in quotes', () => {
  holds(bare, (text) => {
    expect(read(text)).toEqual({ key: text })
    expect(read(text, quoted(text))).toEqual({ key: text })
  })
})

test('two headers with different keys are refused', () => {
  holds(key, key, (one, other) => {
    fc.pre(one !== other)
    expect(read(quoted(one), quoted(other))).toEqual({ fault: expect.any(String) })
  })
})

test('whatever stands in the header, there is a bounded key or a refusal that repeats nothing of it', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 600 }),
    fc.string({ unit: fc.constantFrom('"', '\\', ' ', 'a', ',', ';', '\u00e4', '\0', '\r', '\n'), maxLength: 300 }),
    fc.array(fc.string(), { maxLength: 3 }),
  )
  const refusals = new Set()
  let taken = 0
  holds(anything, (value) => {
    const { key: found, fault, ...more } = read(value)
    expect(more).toEqual({})
    expect((found === undefined) !== (fault === undefined)).toBe(true)
    if (fault) refusals.add(fault)
    else {
      taken += 1
      expect(found).toMatch(/^[\x20-\x7e]{1,255}$/)
    }
  })
  expect(refusals.size).toBe(1)
  expect(taken).toBeGreaterThan(10)
})

const requestOf = (body, query = '') => ({ method: 'POST', originalUrl: `/classes?${query}`, body, headers: {} })

/** JSON in another order of keys. */
function turned(value) {
  if (Array.isArray(value)) return value.map(turned)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, turned(member)]),
  )
}
/** The same for every order, by another way than the one under test: pairs in place of objects. */
function meaning(value) {
  if (Array.isArray(value)) return ['list', ...value.map(meaning)]
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return ['object', ...names.map((name) => [name, meaning(value[name])])]
}
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)))
const parameters = fc.array(fc.stringMatching(/^[a-z]{1,3}=[a-z0-9]{0,3}$/), { maxLength: 4 })

test('a request has one print however its keys and parameters are ordered', () => {
  holds(json, parameters, (body, query) => {
    const again = requestOf(turned(body), [...query].reverse().join('&'))
    expect(printOf(again)).toBe(printOf(requestOf(body, query.join('&'))))
  })
})

test('requests that say something else have other prints', () => {
  holds(json, json, (one, other) => {
    const alike = JSON.stringify(meaning(one)) === JSON.stringify(meaning(other))
    expect(printOf(requestOf(one)) === printOf(requestOf(other))).toBe(alike)
  })
})

test('no two of scope, route and key make one derived key, wherever the letters stand', () => {
  const parts = fc.tuple(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }))
  holds(parts, parts, (one, other) => {
    expect(derivedKey(...one) === derivedKey(...other)).toBe(JSON.stringify(one) === JSON.stringify(other))
  })
  holds(fc.string({ minLength: 2, maxLength: 8 }), fc.nat(), (text, at) => {
    const cut = 1 + (at % (text.length - 1))
    expect(derivedKey(text.slice(0, cut), text.slice(cut), 'k')).not.toBe(derivedKey(text, '', 'k'))
  })
})
