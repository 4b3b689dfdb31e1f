'use strict'

// What the processes on one Redis share: the refresh of a grant, and the limits of requests a minute.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const { tokenPeople } = require('./support/token_people')
const { setStage } = require('./support/stage')
const { startRedis } = require('./support/redis_server')

const stage = setStage()
const people = tokenPeople(stage)
const PROCESSES = 4

let redis, directory
const children = []
beforeAll(async () => {
  redis = await startRedis()
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-shared-'))
})
afterAll(async () => {
  await Promise.all(
    children.map((child) => {
      const gone = once(child, 'exit')
      child.stdin.end()
      return gone
    }),
  )
  await redis?.stop()
  fs.rmSync(directory, { recursive: true })
})

/** Processes over one token store and one Redis; `askAll(call)` gives the answers of all, asked at once. */
async function start(users, config = {}) {
  const file = path.join(directory, `${children.length}.json`)
  fs.writeFileSync(file, JSON.stringify(Object.fromEntries(users.map((user) => [user.id, user.credentials]))))
  const store = { redis: redis.url, prefix: `${children.length}:` }
  const setting = JSON.stringify({ config: { ...stage.google.config, store, ...config }, file })
  const asks = Array.from({ length: PROCESSES }, () => {
    const program = path.join(__dirname, 'fixtures', 'token_process.js')
    const child = spawn(process.execPath, [program, setting], { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    const waiting = []
    readline.createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()(JSON.parse(line)))
    // Of calls under way at once, any may get the answer of any other: what is counted is their sum.
    return (call) =>
      new Promise((resolve) => {
        waiting.push(resolve)
        child.stdin.write(`${JSON.stringify(call)}\n`)
      })
  })
  const askAll = (call) => Promise.all(asks.map((ask) => ask(call)))
  // All of them up, so that what follows really meets.
  await askAll({ user: users[0].id, calls: 0 })
  return askAll
}

test.each([
  ['keeps', []],
  ['replaces', [{ kind: 'rotate' }]],
])(
  'processes that need one grant’s token at once ask for it once, where the endpoint is slow and %s it',
  async (_, faults) => {
    const user = await people.user({ expiresInSeconds: -1 })
    for (const fault of [{ kind: 'latency', ms: 400 }, ...faults])
      await stage.faultFor(user, { operation: 'oauth.token', nth: 1, fault })
    const askAll = await start([user])
    const answers = await askAll({ user: user.id, calls: 5 })
    expect(answers).toEqual(Array(PROCESSES).fill({ ok: 5, errors: [] }))
    expect(await people.refreshes(user)).toHaveLength(1)
  },
)

test('the limit of a user is one for all processes, and of the project one for all users', async () => {
  const [ada, ben, cy] = [await people.user(), await people.user(), await people.user()]
  const users = [ada, ben, cy]
  // Half of a minute's requests may go at once, the other half spread over the minute.
  const limits = { perUserPerMinute: 60, perProjectPerMinute: 120 }
  const askAll = await start(users, { limits, timeoutMs: 2000 })
  const startedAt = performance.now()
  let served = 0
  const ask = async (user) => {
    for (const { ok } of await askAll({ user: user.id, calls: 12 })) served += ok
  }
  await Promise.all(users.map(ask))
  const seconds = (performance.now() - startedAt) / 1000
  const counts = await Promise.all(users.map(async (user) => (await stage.requestsOf(user)).length))
  const all = counts.reduce((sum, count) => sum + count)
  for (const count of counts) expect(count).toBeLessThanOrEqual(30 + seconds / 2 + 1)
  expect(all).toBeLessThanOrEqual(60 + seconds + 1)
  // What one took and did not use in time is nobody's: a part, not most of it.
  expect(all).toBeGreaterThan(40)
  expect(served).toBeGreaterThan(30)
})

test('a Redis that is gone keeps nobody from a token', async () => {
  const user = await people.user({ expiresInSeconds: -1 })
  const askAll = await start([user], { store: { redis: 'redis://127.0.0.1:1' } })
  expect(await askAll({ user: user.id, calls: 1 })).toEqual(Array(PROCESSES).fill({ ok: 1, errors: [] }))
})
