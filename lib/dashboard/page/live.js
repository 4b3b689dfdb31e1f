// Asks for the figures once a second while somebody looks, and says so when they are old.

/* global put, whole, part, duration, age, showSuccess, showOperations, showRetries, showHttp, showPending */
/* global showFailures, showPlot, above, failuresOf */

const EVERY_MS = 1000
const AGAIN_MS = 2000
const PATIENCE_MS = 4000
const REFUSED = [401, 403, 404]

const live = { timer: undefined, asking: false, seenAt: null }

function say(state, words) {
  document.getElementById('link').dataset.state = state
  put('link-text', words)
  // Old figures stay readable, and do not look like new ones.
  document.getElementById('main').toggleAttribute('data-old', state === 'lost')
}

async function poll() {
  clearTimeout(live.timer)
  if (live.asking || document.hidden) return
  live.asking = true
  let next = EVERY_MS
  try {
    const response = await fetch('?figures', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })
    if (response.ok) show(await response.json())
    else {
      next = AGAIN_MS
      sayOld(REFUSED.includes(response.status) ? 'You may not see this page any more' : 'The service gives no figures')
    }
  } catch {
    next = AGAIN_MS
    sayOld('Connection lost')
  } finally {
    live.asking = false
    live.timer = setTimeout(poll, next)
  }
}

function sayOld(why) {
  const since = live.seenAt === null ? '' : `: figures of ${age(performance.now() - live.seenAt)} ago`
  say('lost', `${why}${since}`)
}

function show({ at, metrics, pending }) {
  live.seenAt = performance.now()
  say('live', 'Live')
  showTop(metrics, pending, at)
  showSuccess(metrics)
  showPlot(metrics, at)
  showOperations(metrics)
  showRetries(metrics)
  showHttp(metrics)
  showPending(pending, at)
  showFailures(metrics)
}

function showTop({ since, success, operations, inFlight, openWork, timeline }, pending, now) {
  const start = document.getElementById('since')
  start.dateTime = new Date(since).toISOString()
  put(
    'since',
    `${new Date(since).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })} (${age(now - since)})`,
  )

  const { reliable } = success
  put('tile-reliable-value', part(reliable))
  put(
    'tile-reliable-note',
    reliable.share === null
      ? 'no calls yet'
      : reliable.of === reliable.count
        ? 'all answered as asked'
        : `${whole(reliable.of - reliable.count)} of ${whole(reliable.of)} failed`,
  )
  document.getElementById('tile-reliable').dataset.state = above(reliable.share, 0.999, 0.99)

  const calls = Object.values(operations).reduce((sum, count) => sum + count.succeeded + failuresOf(count), 0)
  put('tile-calls-value', whole(calls))
  put('tile-calls-note', `${whole(inFlight)} at work`)

  // The slice under way has too few calls to speak for.
  const over = timeline.slices.filter(({ at }) => at + timeline.sliceMs <= now)
  const last = over.at(-1) ?? timeline.slices.at(-1)
  put('tile-p95-value', last ? duration(last.p95Ms) : '–')
  put('tile-p95-note', last ? `P99 ${duration(last.p99Ms)}, half under ${duration(last.p50Ms)}` : 'no calls yet')

  put('tile-open-value', whole(openWork))
  const listed =
    pending === null
      ? 'the store does not answer'
      : pending.count > 0
        ? `${whole(pending.count)} to be cleaned up`
        : 'nothing to clean up'
  put('tile-open-note', listed)
  document.getElementById('tile-open').dataset.state = pending === null || pending.count > 0 ? 'watch' : 'good'
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return void poll()
  clearTimeout(live.timer)
  return say('paused', 'Paused while hidden')
})

poll()
