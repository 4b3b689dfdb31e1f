'use strict'

const { mongoServer } = require('./mongo_server')

/** `[name, start]` of every home the example's rows can have; `start()` resolves to `{ places, stop }`. */
const ROW_HOMES = [['SQLite', async () => ({ places: { file: ':memory:' }, stop: async () => {} })]]

const server = mongoServer()
if (server) ROW_HOMES.push([server.name, server.start])

module.exports = { ROW_HOMES }
