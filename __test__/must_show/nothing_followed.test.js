'use strict'

// What a server says is not obeyed blindly: no redirect is followed, no endless body is read.

const http = require('node:http')
const { once } = require('node:events')
const { setStage } = require('../support/stage')
const { runProgram } = require('../support/process')
const { lesson } = require('../support/lessons')

const MB = 1024 * 1024
const stage = setStage()
let elsewhere, visits

beforeAll(async () => {
  visits = []
  elsewhere = http.createServer((request, response) => {
    visits.push({ url: request.url, authorization: request.headers.authorization })
    response.setHeader('content-type', 'application/json').end('{"id":"stolen1"}')
  })
  elsewhere.listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
})
afterAll(() => {
  elsewhere.closeAllConnections()
  elsewhere.close()
})

const location = () => `http://127.0.0.1:${elsewhere.address().port}/stolen`

test.each(['events.insert', 'events.get'])(
  'a redirect of %s is not followed, and no token goes there',
  async (operation) => {
    const user = await stage.user()
    await stage.faultFor(user, { operation, fault: { kind: 'redirect', location: location() } })
    const service = stage.service({ timeoutMs: 1500, retry: { maxRetries: 1, baseDelayMs: 10 } })
    const call =
      operation === 'events.insert'
        ? service.createEvent(user.email, user.accessToken, lesson())
        : service.getEvent(user.email, user.accessToken, 'lesson1')
    const error = await call.then(
      () => null,
      (thrown) => thrown,
    )
    expect(error).toMatchObject({
      name: 'CalendarError',
      code: expect.stringMatching(/^(NETWORK_ERROR|SERVER_ERROR|TIMEOUT)$/),
    })
    expect(error.message).not.toContain('stolen')
    expect(visits).toEqual([])
  },
)

test('a redirect in place of a reply to an insert that was stored: one event, told as a success', async () => {
  const user = await stage.user()
  const fault = { kind: 'redirect', location: location(), when: 'after' }
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault })
  const result = await stage.service().createEvent(user.email, user.accessToken, lesson())
  expect(result).toMatchObject({ success: true, verified: true })
  await expect(stage.live(user)).resolves.toHaveLength(1)
  expect(visits).toEqual([])
})

test('a redirect of the token endpoint is not followed, and no secret goes there', async () => {
  const user = await stage.user()
  await stage.google.fault({
    operation: 'oauth.token',
    match: { user: user.email },
    fault: { kind: 'redirect', location: location() },
  })
  const service = stage.service({ timeoutMs: 1500, tokenStore: { load: () => ({ refresh_token: user.refreshToken }) } })
  await expect(service.createEvent(user.email, null, lesson())).rejects.toMatchObject({
    code: expect.stringMatching(/^GOOGLE_AUTH_/),
  })
  expect(visits).toEqual([])
})

test('a body of 200 MB is given up early: a typed error, and memory stays bounded', async () => {
  const user = await stage.user()
  await stage.faultFor(user, { operation: 'events.get', fault: { kind: 'bigBody', bytes: 200 * MB } })
  const { code, stdout, stderr } = await runProgram(
    `(async () => {
       const service = new surecal.CalendarService(config)
       const get = () => service.getEvent('u', ${JSON.stringify(user.accessToken)}, 'lesson1').catch((error) => error)
       const before = process.memoryUsage().rss
       let most = 0
       const watch = setInterval(() => { most = Math.max(most, process.memoryUsage().rss) }, 5)
       const error = await get()
       clearInterval(watch)
       console.log(JSON.stringify({ code: error.code, outcome: error.outcome, grownMb: (most - before) / ${MB} }))
     })()`,
    { config: { ...stage.google.config, timeoutMs: 20000, retry: { maxRetries: 1, baseDelayMs: 10 } } },
  )
  expect([code, stderr]).toEqual([0, ''])
  const seen = JSON.parse(stdout)
  expect(seen.code).toMatch(/^(NETWORK_ERROR|SERVER_ERROR|NOT_FOUND)$/)
  // Its 8 MB limit twice, with room for the allocator; without a limit it is 200 MB and more.
  expect(seen.grownMb).toBeLessThan(64)
})

test('a 200 MB reply to an insert that was stored: one event, told as a success', async () => {
  const user = await stage.user()
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'bigBody', bytes: 200 * MB } })
  const result = await stage.service().createEvent(user.email, user.accessToken, lesson())
  expect(result).toMatchObject({ success: true, verified: true })
  await expect(stage.live(user)).resolves.toHaveLength(1)
})

test('a list whose page token repeats is stopped', async () => {
  const server = http.createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"items":[{"id":"lesson1"}],"nextPageToken":"again"}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const service = stage.service({ rootUrl: `http://127.0.0.1:${server.address().port}` })
    const seen = []
    const walk = async () => {
      for await (const { id } of service.listEvents('u', 'token')) seen.push(id)
    }
    await expect(walk()).rejects.toMatchObject({ name: 'CalendarError', code: 'SERVER_ERROR' })
    expect(seen.length).toBeLessThan(4)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
