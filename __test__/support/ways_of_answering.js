'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const zlib = require('node:zlib')

const LARGE = Buffer.from(
  Array.from({ length: 30000 }, (_, index) => `line ${index}`)
    .join('\n')
    .slice(0, 300 * 1024),
)
const BINARY = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 31) % 256))

/** The path of a file with LARGE in it, while the tests of the file that asks run. */
function answerFile() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
  const file = path.join(folder, 'answer.bin')
  beforeAll(() => fs.writeFileSync(file, LARGE))
  afterAll(() => fs.rmSync(folder, { recursive: true }))
  return file
}

/** Every way a handler answers; `file` holds LARGE. */
const waysOfAnswering = (file) => ({
  'res.json': (res) => res.status(201).json({ id: 7, name: 'Zürich', list: [1, 2] }),
  'res.send of text': (res) => res.send('<p>done</p>'),
  'res.send of a Buffer': (res) => res.send(BINARY),
  'res.send of an object': (res) => res.send({ ok: true }),
  'res.sendStatus': (res) => res.sendStatus(202),
  'res.end of text': (res) => res.end('plain'),
  'res.end with an encoding': (res) => res.end('dGV4dA==', 'base64'),
  'res.end without a body': (res) => res.end(),
  'res.status(204).end': (res) => res.status(204).end(),
  'res.status(204).send of a body that is not sent': (res) => res.status(204).send('lost'),
  'res.write, then end': (res) => {
    res.write('one ')
    res.write(Buffer.from('two '))
    res.write('dGhyZWU=', 'base64')
    res.end(' four')
  },
  'res.write with a callback that writes on': (res) => {
    res.write('one ', () => res.write('two ', 'utf8', () => res.end('three')))
  },
  'one Buffer filled again at every callback': (res) => {
    const chunk = Buffer.alloc(3)
    let count = 0
    const more = () => {
      if (++count > 5) return res.end()
      chunk.fill(`${count}`)
      return res.write(chunk, more)
    }
    more()
  },
  'res.writeHead with headers': (res) => {
    res.writeHead(201, { 'Content-Type': 'text/x-class', Location: '/classes/7' })
    res.end('made')
  },
  'res.writeHead with a list of headers': (res) => {
    res.writeHead(201, 'Made', ['Content-Type', 'text/x-class', 'Link', '</a>; rel=a', 'Link', '</b>; rel=b'])
    res.end('made')
  },
  'res.flushHeaders, then end': (res) => {
    res.type('text/plain')
    res.flushHeaders()
    setImmediate(() => res.end('late'))
  },
  'a pipe': (res) => fs.createReadStream(file, { highWaterMark: 1000 }).pipe(res),
  'a pipeline': (res) => pipeline(Readable.from(['a', 'b', Buffer.from('c')]), res),
  'res.sendFile': (res) => res.sendFile(file),
  'res.download': (res) => res.download(file, 'class.bin'),
  'res.redirect that is listed': (res) => res.redirect(303, '/classes/7'),
  '300 kB': (res) => res.json({ text: LARGE.toString() }),
  'gzip by the handler': (res) => {
    res.set('Content-Encoding', 'gzip').type('txt').end(zlib.gzipSync(LARGE))
  },
  'an error given to next': (res, next) => next(Object.assign(new Error('no'), { answer: 422 })),
  'an error thrown': () => {
    throw Object.assign(new Error('no'), { answer: 422 })
  },
})

/** What one exchange, or a file server, adds of itself. */
const OWN_TO_EACH = ['date', 'idempotent-replayed', 'accept-ranges']

/** Header names in the order and letter case in which they came. */
function told({ status, rawHeaders, body }) {
  const headers = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!OWN_TO_EACH.includes(rawHeaders[at].toLowerCase())) {
      headers.push(`${rawHeaders[at].toLowerCase()}: ${rawHeaders[at + 1]}`)
    }
  }
  return { status, headers: headers.sort(), body: body.toString('latin1') }
}

module.exports = { LARGE, answerFile, waysOfAnswering, told }
