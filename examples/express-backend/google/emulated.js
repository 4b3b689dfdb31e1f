'use strict'

const { randomBytes } = require('node:crypto')
const express = require('express')

/**
 * surecal's emulator in place of Google, and a page in place of Google's consent screen.
 *
 * @param {import('surecal/testing').Emulator} emulator
 */
function emulatedGoogle(emulator) {
  /** Who has agreed, by the code that says so. A code is good once. */
  const agreed = new Map()

  return {
    config: emulator.config,
    rehearsal: { emulator },

    consentUrl: ({ state, email }) => `/emulated-google/consent?${new URLSearchParams({ state, email })}`,

    async exchange(code) {
      const email = agreed.get(code)
      agreed.delete(code)
      if (email === undefined) throw new Error('This authorization code was not given out, or was used.')
      const { credentials } = await emulator.addUser(email)
      return credentials
    },

    consentScreen() {
      const router = express.Router()
      router.get('/emulated-google/consent', (req, res) => {
        const { email = '', state = '' } = req.query
        const code = randomBytes(16).toString('hex')
        agreed.set(code, String(email))
        const allow = `/google/callback?${new URLSearchParams({ code, state: String(state) })}`
        const cancel = `/google/callback?${new URLSearchParams({ error: 'access_denied', state: String(state) })}`
        res.type('html').send(consentPage({ email: String(email), allow, cancel }))
      })
      return router
    },
  }
}

const escaped = (text) => text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`)

const consentPage = ({ email, allow, cancel }) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stand-in for Google</title>
<link rel="stylesheet" href="/styles.css">
</head>
<body class="consent">
<main class="card">
<p class="eyebrow">This stands in for Google’s consent screen</p>
<h1>Lessons wants to manage your calendar</h1>
<p><strong>${escaped(email)}</strong> would let it see, make, change and delete events.</p>
<p class="actions"><a class="button primary" href="${escaped(allow)}">Allow</a> <a class="button" href="${escaped(cancel)}">Cancel</a></p>
</main>
</body>
</html>`

module.exports = { emulatedGoogle }
