'use strict'

/** The database as a backend process sees it: every query is a message to its server, and its answer. */
function databaseClient() {
  const waiting = new Map()
  let last = 0
  process.on('message', (message) => {
    if (message.answerTo === undefined) return
    waiting.get(message.answerTo)?.(message.value)
    waiting.delete(message.answerTo)
  })
  const ask = (name, args) =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      process.send({ query: last, name, args })
    })
  return new Proxy(
    {},
    {
      get:
        (_target, name) =>
        (...args) =>
          ask(name, args),
    },
  )
}

module.exports = { databaseClient }
