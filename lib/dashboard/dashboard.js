'use strict'

const { configuration } = require('../errors')
const { Figures } = require('./figures')
const { newNonce, pageWith, policyFor } = require('./page')

const OPTIONS = ['authorize']

/** On every answer: figures are of now, for this page alone, and for nobody's frame. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex',
}

/**
 * An Express handler (4 and 5) that serves one page and, at the same address with `?figures`, what it shows. index.d.ts
 * is its manual.
 *
 * @param {object} options
 * @param {object} service
 * @param {() => object} service.metrics
 * @param {() => Promise<object[]>} service.pending
 * @param {(level: string, message: string, more: object) => void} service.log
 */
function dashboard(options, { metrics, pending, log }) {
  const { authorize } = checked(options)
  const figures = new Figures({ metrics, pending })

  async function isAllowed(req) {
    if (authorize === false) return true
    try {
      return (await authorize(req)) === true
    } catch (error) {
      log('warn', 'dashboard: authorize failed, and the visitor was refused', { error: error?.name ?? typeof error })
      return false
    }
  }

  return async function dashboardPage(req, res, next) {
    if (req.path !== '/') return next()
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return answer(res, 405, 'text/plain', 'GET only', { Allow: 'GET' })
    if (!(await isAllowed(req))) return answer(res, 403, 'text/plain', 'You may not see this page.')
    if (wantsFigures(req)) {
      const { status, body } = await figures.now()
      return answer(res, status, 'application/json', JSON.stringify(body))
    }
    const nonce = newNonce()
    return answer(res, 200, 'text/html', pageWith(nonce), { 'Content-Security-Policy': policyFor(nonce) })
  }
}

const wantsFigures = (req) => new URLSearchParams(req.url.split('?')[1] ?? '').has('figures')

function answer(res, status, type, body, more = {}) {
  // Somebody else answered meanwhile: `authorize` itself, say.
  if (res.headersSent) return
  res.statusCode = status
  for (const [name, value] of Object.entries({ ...HEADERS, ...more, 'Content-Type': `${type}; charset=utf-8` })) {
    res.setHeader(name, value)
  }
  res.end(body)
}

function checked(options) {
  if (options === null || typeof options !== 'object') throw withoutCheck()
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw configuration('dashboard: an option is not known; there is only authorize.')
  }
  const { authorize } = options
  if (authorize !== false && typeof authorize !== 'function') throw withoutCheck()
  return options
}

const withoutCheck = () =>
  configuration(
    'dashboard: it shows how your backend is doing, so say who may see it: dashboard({ authorize: (req) => req.user?.isAdmin === true }), ' +
      'or dashboard({ authorize: false }) where everybody who can reach the address may.',
  )

module.exports = { dashboard }
