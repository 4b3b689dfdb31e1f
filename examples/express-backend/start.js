'use strict'

// `npm run example`. README.md beside this file tells what the environment may say.

const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { openBackend } = require('./backend')
const { emulatedGoogle } = require('./google/emulated')
const { realGoogle } = require('./google/real')
const { openRepository } = require('./repository/open')

const say = (line = '') => process.stdout.write(`${line}\n`)

/** Google, if there are credentials for it; else an emulator, whose calendars end with it. */
async function openGoogle({ GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret }, origin) {
  if (clientId && clientSecret) return realGoogle({ clientId, clientSecret, redirectUri: `${origin}/google/callback` })
  const { startEmulator } = require('surecal/testing')
  return emulatedGoogle(await startEmulator())
}

/** A folder that stays, or one that ends with the emulator: rows without their events would be no use. */
function dataFolder({ DATA }, google) {
  if (google.rehearsal) return fs.mkdtempSync(path.join(os.tmpdir(), 'lessons-'))
  const folder = path.resolve(DATA ?? 'data')
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

async function main(env) {
  const port = Number(env.PORT ?? 3000)
  const origin = env.ORIGIN ?? `http://localhost:${port}`
  const google = await openGoogle(env, origin)
  const folder = dataFolder(env, google)
  const repository = await openRepository({ mongodbUrl: env.MONGODB_URL, file: path.join(folder, 'lessons.sqlite') })
  const backend = await openBackend({
    repository,
    google,
    store: env.REDIS_URL ? { redis: env.REDIS_URL } : { sqlite: path.join(folder, 'surecal.sqlite') },
    people: env.PEOPLE ? JSON.parse(fs.readFileSync(env.PEOPLE, 'utf8')) : undefined,
    cookie: { secret: env.SESSION_SECRET, secure: origin.startsWith('https:') },
    logger: { warn: console.warn, error: console.error },
  })
  const server = backend.app.listen(port, '127.0.0.1')
  await once(server, 'listening')
  say(`Lessons is at http://localhost:${server.address().port}`)
  say(`  calendars: ${google.rehearsal ? 'an emulator in place of Google' : 'Google'}`)
  say(`  rows: ${env.MONGODB_URL ? 'MongoDB' : 'SQLite'}; open work and answers: ${env.REDIS_URL ? 'Redis' : 'SQLite'}`)
  say('  Ctrl-C ends it.')

  const end = async () => {
    server.close()
    server.closeIdleConnections()
    const open = await backend.close()
    if (open.length > 0) say(`${open.length} clean-ups are left to the next process.`)
    if (google.rehearsal) {
      await google.rehearsal.emulator.close()
      fs.rmSync(folder, { recursive: true })
    }
    process.exit(0)
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
}

main(process.env).catch((error) => {
  process.stderr.write(
    `${error.code === 'EADDRINUSE' ? 'The port is taken: choose another with PORT.' : error.stack}\n`,
  )
  process.exit(1)
})
