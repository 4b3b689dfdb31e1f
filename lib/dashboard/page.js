'use strict'

const { randomBytes } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const FOLDER = path.join(__dirname, 'page')
/** In the order in which they are run: each knows those before it. */
const SCRIPTS = ['words.js', 'table.js', 'plot.js', 'live.js']

const read = (name) => fs.readFileSync(path.join(FOLDER, name), 'utf8')

let parts

/** The page's text around its nonces, read once. */
function pieces() {
  if (parts) return parts
  const script = `'use strict'\n;(() => {\n${SCRIPTS.map(read).join('\n')}\n})()`
  const whole = read('page.html')
    .replace('/* style */', () => read('page.css'))
    .replace('/* script */', () => script)
  parts = whole.split('{nonce}')
  return parts
}

const newNonce = () => randomBytes(16).toString('base64')

/** The page, all in one: nothing else is fetched but its figures. */
const pageWith = (nonce) => pieces().join(nonce)

/** What the page may do: run its own script and ask its own server. */
const policyFor = (nonce) =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

module.exports = { newNonce, pageWith, policyFor }
