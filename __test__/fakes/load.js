'use strict'

const { fakeNative } = require('./native')
const { FakeClaims } = require('./claims')

/** The package over a fresh fake binding, with its own module registry: `{ surecal, fake }`. */
function loadOverFake() {
  const fake = fakeNative()
  fake.claims = new FakeClaims()
  let surecal
  jest.isolateModules(() => {
    jest.doMock('../../lib/native', () => ({ load: () => fake.binding }))
    surecal = require('../../index.js')
  })
  return { surecal, fake }
}

/** A promise that somebody else settles. */
function deferred() {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => {
    Object.assign(parts, { resolve, reject })
  })
  return parts
}

module.exports = { loadOverFake, deferred }
