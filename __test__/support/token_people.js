'use strict'

const { randomUUID } = require('node:crypto')

const EVENT = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }

/** A token store in memory that counts: `tokens[userId]` is what it holds, `saves` what it was given. */
function memoryStore(tokens = {}) {
  const store = {
    tokens,
    loads: 0,
    saves: [],
    async load(userId) {
      store.loads += 1
      return store.tokens[userId] ?? null
    },
    async save(userId, saved) {
      store.saves.push(saved)
      store.tokens[userId] = saved
    },
  }
  return store
}

/** What tests of tokens ask of a stage (see stage.js). */
function tokenPeople(stage) {
  return {
    /** A user whose tokens nobody else ever had: refreshes of a process are shared by grant. */
    async user(more = {}) {
      const user = await stage.user({ refreshToken: `1//${randomUUID()}`, ...more })
      return { ...user, id: user.email }
    },

    /** The user's refreshes at the token endpoint, by outcome. */
    async refreshes(...users) {
      const theirs = users.map((user) => user.refreshToken)
      const all = await stage.google.tokenRequests()
      return all.filter(({ refreshToken }) => theirs.includes(refreshToken)).map(({ outcome }) => outcome)
    },

    /** Statuses of the user's calendar requests; one with a dead token is 401, and nobody's. */
    async calendarCalls(since = 0) {
      const requests = await stage.google.requests()
      return requests.filter(({ seq, operation }) => seq > since && operation !== 'oauth.token')
    },

    /** The number of the last request so far. */
    async now() {
      return (await stage.google.counts()).requests
    },
  }
}

module.exports = { EVENT, memoryStore, tokenPeople }
