'use strict'

/** Fix 4, step 2. Mended: none of it. Its sweep, once in ten minutes, does not hold a process that is asked to end. */

// In-memory store (use Redis in production)
const idempotencyStore = new Map()

setInterval(
  () => {
    const now = Date.now()
    const timeout = 60 * 60 * 1000 // 1 hour
    for (const [key, value] of idempotencyStore.entries()) {
      if (now - value.timestamp > timeout) idempotencyStore.delete(key)
    }
  },
  10 * 60 * 1000,
).unref()

async function idempotencyMiddleware(req, res, next) {
  const idempotencyKey = req.headers['x-idempotency-key']
  if (!idempotencyKey) return next()
  const existing = idempotencyStore.get(idempotencyKey)
  if (existing) {
    if (existing.status === 'processing') {
      return res.status(409).json({
        status: 'duplicate',
        message: 'This request is currently being processed',
        retryAfter: 5,
      })
    } else if (existing.status === 'completed') {
      return res.status(existing.statusCode).json(existing.response)
    }
  }
  idempotencyStore.set(idempotencyKey, { status: 'processing', timestamp: Date.now() })
  const originalJson = res.json.bind(res)
  res.json = function (body) {
    idempotencyStore.set(idempotencyKey, {
      status: 'completed',
      statusCode: res.statusCode,
      response: body,
      timestamp: Date.now(),
    })
    return originalJson(body)
  }
  next()
}

module.exports = { idempotencyMiddleware }
