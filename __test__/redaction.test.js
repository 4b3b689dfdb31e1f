'use strict'

// One run of everything, with debug logging and a Google that says back whatever it is sent (fixtures/redaction_run.js):
// nothing that it prints, and nothing that it leaves on the disk, has a token, a secret, an address or a word of an event
// in it. Each secret is also shown to have been at work. `npm run mutate-redactions` takes the redactions out one by one,
// and this test (or a Rust test beside it) must fail each time.

const { fork } = require('node:child_process')
const { generateKeyPairSync, randomBytes } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/** Of letters and digits: it looks like nothing that would be hidden for its looks, and survives every encoding. */
const canary = (kind) => `${kind}${randomBytes(12).toString('hex')}`

const pem = { type: 'pkcs8', format: 'pem' }
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: pem,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

/** Nobody is given these but the servers they are for. */
const CREDENTIALS = {
  // As long as Google's are: a shorter one would pass for a reason word.
  accessToken: `ya29.${canary('access')}${'x'.repeat(160)}`,
  refreshToken: `1//${canary('refresh')}`,
  newToken: `ya29.${canary('new')}${'x'.repeat(160)}`,
  rotatedToken: `1//${canary('rotated')}`,
  clientSecret: canary('clientsecret'),
  accountKey: privateKey,
  proxyPassword: canary('proxy'),
  redisPassword: canary('redis'),
}

/** What callers get back in results and records, and nobody else hears of. */
const PERSONAL = {
  summary: canary('summary'),
  description: canary('description'),
  location: canary('location'),
  property: canary('property'),
  guest: `${canary('guest')}@school.test`,
  guestName: canary('guestname'),
  student: `${canary('student')}@school.test`,
  studentName: canary('studentname'),
  calendar: `${canary('calendar')}@school.test`,
  account: `${canary('account')}@school.test`,
  key: canary('key'),
}

const SECRETS = { ...CREDENTIALS, ...PERSONAL, user: 'teacher-7', clientId: 'app' }

/** What to look for: of a key of many lines one in the middle, of an address the part before the @. */
const signOf = (secret) => (secret.includes('\n') ? secret.split('\n')[3] : secret.split('@')[0].slice(0, 60))

/** Every secret that stands in the text, with its surroundings, so that a failure says where it got out. */
function found(text, secrets) {
  return Object.entries(secrets).flatMap(([kind, secret]) => {
    const at = text.indexOf(signOf(secret))
    return at < 0 ? [] : [`${kind}: …${text.slice(Math.max(0, at - 300), at + 100)}…`]
  })
}

/** Every file below a folder, as bytes that can be searched. */
const filesIn = (folder) =>
  fs
    .readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((file) => fs.statSync(file).isFile())
    .map((file) => ({ file, text: `${file}\n${fs.readFileSync(file, 'latin1')}` }))

let printed, handed, heard, files
beforeAll(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-redaction-'))
  const env = { ...process.env, SECRETS: JSON.stringify(SECRETS), FOLDER: folder }
  const child = fork(path.join(__dirname, 'fixtures', 'redaction_run.js'), { env, silent: true, cwd: folder })
  printed = ''
  handed = []
  heard = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      printed += text
    })
  }
  child.on('message', (message) => {
    if (message.is === 'heard') heard += message.text
    else handed.push(message)
  })
  await once(child, 'close')
  files = filesIn(folder)
  fs.rmSync(folder, { recursive: true })
})

test('the run went to its end, and every secret was at work in it', () => {
  expect(printed.slice(-200)).toContain('the run is over')
  const results = handed.map(({ text }) => text).join('\n')
  const signed = /assertion=[\w-]+\.([\w-]+)\.[\w-]+/.exec(heard)
  expect(JSON.parse(Buffer.from(signed[1], 'base64url')).iss).toBe(PERSONAL.account)
  for (const kind of ['accessToken', 'refreshToken', 'newToken', 'rotatedToken', 'clientSecret']) {
    expect([kind, heard.includes(CREDENTIALS[kind])]).toEqual([kind, true])
  }
  for (const kind of ['summary', 'description', 'location', 'property', 'guest', 'guestName', 'student', 'calendar']) {
    expect([kind, heard.includes(PERSONAL[kind])]).toEqual([kind, true])
  }
  for (const kind of ['summary', 'guest']) expect([kind, results.includes(PERSONAL[kind])]).toEqual([kind, true])
  expect(printed.match(/^log /gm).length).toBeGreaterThan(20)
  expect(printed.match(/CalendarError/g).length).toBeGreaterThan(200)
  expect(printed.match(/^span /gm).length).toBeGreaterThan(100)
  expect(files.length).toBeGreaterThan(0)
})

test('nothing that is printed has a token, a secret, an address or a word of an event in it', () => {
  expect(found(printed, { ...CREDENTIALS, ...PERSONAL })).toEqual([])
})

test('no assertion of a service account is printed', () => {
  for (const [, assertion] of heard.matchAll(/assertion=([\w.-]+)/g)) {
    expect(printed.includes(assertion.split('.')[2])).toBe(false)
  }
})

test('results and records have no token and no secret', () => {
  expect(handed.length).toBeGreaterThan(100)
  for (const { from, text } of handed) expect([from, ...found(text, CREDENTIALS)]).toEqual([from])
})

test('the store on the disk knows the calendar of what it has to clean up, and nothing else', () => {
  const { calendar: _calendar, ...others } = { ...CREDENTIALS, ...PERSONAL }
  for (const { text } of files) expect(found(text, others)).toEqual([])
})
