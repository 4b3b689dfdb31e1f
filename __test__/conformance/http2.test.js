'use strict'

// The same server over HTTP/2 without TLS (prior knowledge), with Node's own client.

const http2 = require('node:http2')
const { setStage, until } = require('../support/stage')
const { lesson } = require('../support/lessons')

const stage = setStage()
let user, session

beforeEach(async () => {
  user = await stage.user()
  session = http2.connect(stage.google.url)
  session.on('error', () => {}) // A fault may end the session; the stream tells of it.
})
afterEach(() => session.destroy())

/** One exchange: `{ status, headers, text, body }`. Rejects when the stream is reset or cut. */
function send(method, path, body, headers = {}) {
  const stream = session.request({
    ':method': method,
    ':path': `/calendar/v3/calendars/primary/events${path}`,
    authorization: `Bearer ${user.accessToken}`,
    'content-type': 'application/json',
    ...headers,
  })
  const answer = new Promise((resolve, reject) => {
    let head
    const pieces = []
    stream.on('response', (received) => {
      head = received
    })
    stream.on('data', (piece) => pieces.push(piece))
    stream.on('error', (error) => reject(Object.assign(error, { rstCode: stream.rstCode })))
    stream.on('close', () => {
      if (!head || stream.rstCode !== 0) {
        reject(Object.assign(new Error('the stream was closed'), { rstCode: stream.rstCode }))
        return
      }
      const text = Buffer.concat(pieces).toString()
      const isJson = head['content-type']?.includes('json')
      resolve({ status: head[':status'], headers: head, text, body: isJson && text ? JSON.parse(text) : null })
    })
  })
  stream.end(body === undefined ? undefined : JSON.stringify(body))
  return Object.assign(answer, { stream })
}
const insert = (id = 'lesson1') => send('POST', '', lesson({ id }))
const fault = (rule) => stage.faultFor(user, { nth: 1, ...rule })
const live = async () => (await stage.live(user)).map(({ id }) => id)
const REFUSED_STREAM = http2.constants.NGHTTP2_REFUSED_STREAM

test('insert, get, patch, update, list and delete answer as over HTTP/1.1', async () => {
  await expect(insert()).resolves.toMatchObject({ status: 200, body: { id: 'lesson1' } })
  await expect(send('GET', '/lesson1')).resolves.toMatchObject({ status: 200, body: { summary: 'Algebra' } })
  await expect(send('PATCH', '/lesson1', { summary: 'New' })).resolves.toMatchObject({ body: { summary: 'New' } })
  await expect(send('PUT', '/lesson1', lesson())).resolves.toMatchObject({ body: { summary: 'Algebra' } })
  await expect(send('GET', '')).resolves.toMatchObject({ body: { items: [{ id: 'lesson1' }] } })
  await expect(send('DELETE', '/lesson1')).resolves.toMatchObject({ status: 204, text: '' })
  await expect(send('DELETE', '/lesson1')).resolves.toMatchObject({ status: 410 })
  await expect(insert()).resolves.toMatchObject({ status: 409 })
})

test('If-Match and If-None-Match hold: 412 and 304', async () => {
  const { body } = await insert()
  await expect(send('DELETE', '/lesson1', undefined, { 'if-match': '"1"' })).resolves.toMatchObject({ status: 412 })
  await expect(send('GET', '/lesson1', undefined, { 'if-none-match': body.etag })).resolves.toMatchObject({
    status: 304,
  })
})

test('many streams share one connection, and the log says so', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => insert(`lesson${index}`)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  const requests = await stage.requestsOf(user)
  expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1)
  expect(new Set(requests.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2']))
})

test('REFUSED_STREAM: nothing was done, and the connection lives on', async () => {
  await fault({ operation: 'events.insert', fault: { kind: 'refusedStream' } })
  await expect(insert()).rejects.toMatchObject({ rstCode: REFUSED_STREAM })
  await expect(live()).resolves.toEqual([])
  await expect(insert()).resolves.toMatchObject({ status: 200 })
})

test.each([
  ['before', []],
  ['after', ['lesson1']],
])('a reset %s the commit', async (when, expected) => {
  await fault({ operation: 'events.insert', fault: { kind: 'reset', when } })
  await expect(insert()).rejects.toThrow()
  await expect(live()).resolves.toEqual(expected)
})

test.each([
  ['before', []],
  ['after', ['lesson1']],
])('a hang %s the commit: no answer comes, other streams go on', async (when, expected) => {
  await fault({ operation: 'events.insert', fault: { kind: 'hang', when } })
  const hanging = insert()
  hanging.catch(() => {})
  await until(async () => (await stage.requestsOf(user)).length === 1)
  await expect(send('GET', '')).resolves.toMatchObject({ status: 200 })
  await expect(live()).resolves.toEqual(expected)
  hanging.stream.close()
})

test('a cut body is an error of the stream, and the event is there', async () => {
  await fault({ operation: 'events.insert', fault: { kind: 'truncate' } })
  await expect(insert()).rejects.toThrow()
  await expect(live()).resolves.toEqual(['lesson1'])
})

test('a dripping body arrives whole', async () => {
  await fault({ operation: 'events.insert', fault: { kind: 'drip', everyMs: 1, chunkBytes: 64 } })
  await expect(insert()).resolves.toMatchObject({ status: 200, body: { id: 'lesson1' } })
})

test('a page of HTML with 200 is no event', async () => {
  await fault({ operation: 'events.insert', fault: { kind: 'html', when: 'after' } })
  const { status, headers } = await insert()
  expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('text/html')])
  await expect(live()).resolves.toEqual(['lesson1'])
})

test('a late insert is applied when it is released, and meets what is there then', async () => {
  await fault({ operation: 'events.insert', fault: { kind: 'late' } })
  const late = insert()
  late.catch(() => {})
  await until(async () => (await stage.google.counts()).held === 1)
  await expect(live()).resolves.toEqual([])
  await expect(insert()).resolves.toMatchObject({ status: 200 })
  await stage.google.release()
  const [first] = await stage.requestsOf(user)
  expect([first.status, first.committed]).toEqual([409, false])
  late.stream.close()
})
