'use strict'

// The whole backend of examples/express-backend over an emulator and a free port, and people who ask it.

const { openBackend } = require('../../examples/express-backend/backend')
const { emulatedGoogle } = require('../../examples/express-backend/google/emulated')
const { openRepository } = require('../../examples/express-backend/repository/open')
const { PEOPLE } = require('../../examples/express-backend/people')
const { serving } = require('./exchange')

const FORM = {
  title: 'Algebra',
  timeZone: 'Europe/London',
  schedules: [
    { first: '2027-03-22T10:00', minutes: 60, weeks: 2 },
    { first: '2027-03-24T15:30', minutes: 45, weeks: 1 },
  ],
}

const inMemory = () => openRepository({ file: ':memory:' })

/**
 * @param {import('../../lib/testing').Emulator} emulator
 * @param {object} [more] as for `openBackend`
 */
async function lessonsBackend(emulator, { repository, ...more } = {}) {
  const rows = repository ?? (await inMemory())
  const backend = await openBackend({ repository: rows, google: emulatedGoogle(emulator), ...more })
  const server = await serving(backend.app)
  const url = `http://127.0.0.1:${server.port}`

  return {
    ...backend,
    url,
    repository: rows,

    /** Gives an instructor a grant, without the way through the consent screen. */
    async connect(id) {
      const { email } = PEOPLE.find((person) => person.id === id)
      await rows.saveTokens(id, (await emulator.addUser(email)).credentials)
      return email
    },

    /** A person who is signed in: `ask(method, path, { body, key })` resolves to `{ status, body, headers }`. */
    async person(id) {
      const signIn = await fetch(`${url}/api/session`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ personId: id }),
      })
      const [cookie] = signIn.headers.get('set-cookie').split(';')
      return async (method, path, { body, key } = {}) => {
        const response = await fetch(`${url}/api${path}`, {
          method,
          headers: { cookie, 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
          body: body && JSON.stringify(body),
        })
        const { status, headers } = response
        return { status, headers, body: status === 204 ? null : await response.json() }
      }
    },

    async close() {
      await server.stop()
      return backend.close()
    },
  }
}

module.exports = { lessonsBackend, FORM }
