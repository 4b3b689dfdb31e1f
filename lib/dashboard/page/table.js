// The tables: what metrics() and pending() say, row by row.

/* global element, put, whole, part, duration, age, clockTime */
/* exported showSuccess, showOperations, showRetries, showHttp, showPending, showFailures, above, failuresOf */

const MARKS = { good: 'M2 6.5 5 9.5 10 2.5', watch: 'M6 2v5M6 10v.1', bad: 'M2.5 2.5l7 7M9.5 2.5l-7 7' }
const WORDS = { good: 'met', watch: 'look', bad: 'missed', none: 'no calls yet' }
const OUTCOMES = {
  'not-sent': 'no, nothing was sent',
  rejected: 'no',
  unknown: 'not known yet',
  applied: 'yes',
}
const SVG = 'http://www.w3.org/2000/svg'

function drawing(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

function state(name, word = WORDS[name]) {
  const made = element('span', { class: 'state', 'data-state': name })
  if (MARKS[name]) {
    const mark = drawing('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' })
    mark.append(drawing('path', { d: MARKS[name] }))
    made.append(mark)
  }
  made.append(word)
  return made
}

/** A count with its place in metrics(), and what is counted. */
const figure = (path, value, text = whole(value)) => element('span', { 'data-figure': path }, text)
const piece = (path, value, words) => element('span', { class: 'part' }, figure(path, value), ` ${words}`)

/** The rows of the table: `read` gives what is shown now, made of what, and the state. */
const MEASURES = [
  {
    name: 'Silent failures caught',
    goal: 'every one',
    read: ({ success, prevented }) => ({
      now: figure('success.silentFailuresCaught.count', success.silentFailuresCaught.count),
      made: [
        piece('prevented.repaired', prevented.repaired, 'put right'),
        piece('prevented.restored', prevented.restored, 'inserted again'),
        piece('prevented.refused', prevented.refused, 'taken back'),
      ],
      state: success.verified.share === null ? 'none' : success.verified.share < 1 ? 'watch' : 'good',
    }),
  },
  {
    name: 'Writes read back',
    goal: '100 %',
    read: ({ success: { verified } }) => ({
      now: part(verified),
      made: [
        piece('success.verified.count', verified.count, 'verified'),
        piece('success.verified.of', verified.of, 'answered with success'),
      ],
      state: verified.share === null ? 'none' : verified.share < 1 ? 'watch' : 'good',
    }),
  },
  {
    name: 'Token failures',
    goal: 'under 0.1 %',
    read: ({ success: { tokenFailures }, tokens }) => ({
      now: part(tokenFailures, { up: true }),
      made: [
        piece('success.tokenFailures.count', tokenFailures.count, 'calls'),
        piece('tokens.refreshed', tokens.refreshed, 'renewed'),
        piece('tokens.dead', tokens.dead, 'grants dead'),
      ],
      state: below(tokenFailures.share, 0.001, 0.01),
    }),
  },
  {
    name: 'Phantoms prevented',
    goal: 'none left behind',
    read: ({ success: { phantomsPrevented, reliable }, prevented }) => {
      const open = phantomsPrevented.of - prevented.removed - prevented.left
      return {
        now: figure('success.phantomsPrevented.count', phantomsPrevented.count),
        made: [
          piece('prevented.removed', prevented.removed, 'cleaned up'),
          piece('prevented.left', prevented.left, 'left to others'),
          element('span', { class: 'part' }, `${whole(open)} still open`),
        ],
        state: open > 0 ? 'watch' : reliable.share === null ? 'none' : 'good',
        word: open > 0 ? 'at work' : undefined,
      }
    },
  },
  {
    name: 'Duplicates prevented',
    goal: 'every one',
    read: ({ success, prevented, shared, requests }) => ({
      now: figure('success.duplicatesPrevented', success.duplicatesPrevented),
      made: [
        piece('prevented.adopted', prevented.adopted, 'made before'),
        piece('prevented.lostReplies', prevented.lostReplies, 'after lost replies'),
        piece('shared', shared, 'shared'),
        piece('requests.replayed', requests.replayed, 'replayed'),
        piece('requests.refused', requests.refused, 'refused'),
      ],
      state: success.reliable.share === null ? 'none' : 'good',
    }),
  },
  {
    name: 'Hung calls',
    goal: 'none',
    read: ({ success: { hung }, google }) => ({
      now: figure('success.hung.count', hung.count),
      made: [
        piece('success.hung.of', hung.of, 'calls'),
        piece('google.faults.timeout', google.faults.timeout ?? 0, 'attempts cut by their time limit'),
      ],
      state: hung.share === null ? 'none' : hung.count > 0 ? 'bad' : 'good',
    }),
  },
  {
    name: 'Overall reliability',
    goal: '99.9 %',
    read: ({ success: { reliable } }) => ({
      now: part(reliable),
      made: [
        piece('success.reliable.count', reliable.count, 'answered as asked'),
        piece('success.reliable.of', reliable.of, 'that could be'),
      ],
      state: above(reliable.share, 0.999, 0.99),
    }),
  },
]

function below(share, good, watch) {
  if (share === null) return 'none'
  return share < good ? 'good' : share < watch ? 'watch' : 'bad'
}

function above(share, good, watch) {
  if (share === null) return 'none'
  return share >= good ? 'good' : share >= watch ? 'watch' : 'bad'
}

const written = new Map()

/** Rows are made anew only where something in them has changed. */
function fill(id, rows, empty) {
  const body = document.getElementById(id)
  const made = rows.length > 0 ? rows.map((one) => labelled(id, one)) : [emptyRow(body, empty)]
  const text = made.map((row) => row.outerHTML).join('')
  if (written.get(id) === text) return
  written.set(id, text)
  body.replaceChildren(...made)
}

function emptyRow(body, words) {
  const columns = body.parentElement.querySelectorAll('thead th').length || 3
  return element('tr', { role: 'row' }, element('td', { role: 'cell', class: 'empty', colspan: columns }, words))
}

// On a phone rows are laid out as cards, and then browsers forget that it is a table: the roles say so.
const row = (...cells) => element('tr', { role: 'row' }, ...cells)
const head = (text) => element('th', { scope: 'row', role: 'rowheader' }, text)
const cell = (...children) => element('td', { role: 'cell' }, ...children)
const number = (...children) => element('td', { role: 'cell', class: 'number' }, ...children)

/** Words that need no column's name beside them. */
const PLAIN = ['Method', 'Code', 'Event']

/** Names each cell by its column, for where the columns' heads are not shown. */
function labelled(id, made) {
  const heads = document.getElementById(id).parentElement.querySelectorAll('thead th')
  made.querySelectorAll('td').forEach((one, at) => {
    const name = heads[at + 1]?.textContent ?? ''
    one.setAttribute('data-label', PLAIN.includes(name) ? '' : name)
  })
  return made
}

function showSuccess(metrics) {
  const rows = MEASURES.map(({ name, goal, read }) => {
    const { now, made, state: held, word } = read(metrics)
    return row(head(name), number(now), cell(...made.flatMap((one) => [one, ' '])), cell(goal), cell(state(held, word)))
  })
  fill('success', rows)
}

const failuresOf = ({ failed, unverified }) => Object.values(failed).reduce((sum, count) => sum + count, unverified)

function showOperations({ operations }) {
  const rows = Object.entries(operations).map(([name, count]) => {
    const failed = failuresOf(count)
    const path = `operations.${name}`
    return row(
      head(name),
      number(element('span', { 'data-calls': name }, whole(count.succeeded + failed))),
      number(element('span', { 'data-failed': name }, whole(failed))),
      ...['p50Ms', 'p95Ms', 'p99Ms', 'slowestMs'].map((key) =>
        number(figure(`${path}.${key}`, count[key], duration(count[key]))),
      ),
    )
  })
  fill('operations', rows, 'No call has been answered yet.')
}

/** A bar's length is the row's part of the longest. */
function bars(rows) {
  const longest = Math.max(...rows.map(({ value }) => value), 1)
  return rows.map(({ path, words, value, tone }) => {
    const picture = drawing('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' })
    if (value > 0) {
      picture.append(drawing('rect', { x: 0, y: 0, height: 10, width: Math.max((value / longest) * 100, 0.8) }))
    }
    return element(
      'tr',
      { role: 'row', 'data-tone': tone },
      head(words),
      element('td', { role: 'cell', class: 'bar' }, picture),
      number(figure(path, value)),
    )
  })
}

function showRetries({ google, tokens }) {
  const rows = Object.entries(google.retries)
    .map(([reason, value]) => ({ path: `google.retries.${reason}`, words: reason, value }))
    .sort((one, two) => two.value - one.value)
  if (tokens.retries > 0) rows.push({ path: 'tokens.retries', words: 'token endpoint', value: tokens.retries })
  if (google.tokenRenewals > 0) {
    rows.push({ path: 'google.tokenRenewals', words: 'new token after a 401', value: google.tokenRenewals })
  }
  fill('retries', bars(rows), 'Nothing had to be sent twice.')
}

const FAULTS = {
  connect: 'not connected',
  tls: 'TLS failed',
  untrusted: 'certificate not trusted',
  proxyAuth: 'proxy refused the login',
  timeout: 'no answer in time',
  reset: 'connection reset',
  cut: 'answer cut short',
  tooLarge: 'answer too large',
  turnedAway: 'turned away',
  garbled: 'answer not readable',
}

function showHttp({ google }) {
  const counts = [
    ['reads', 'requests that read'],
    ['writes', 'requests that write'],
    ['status2xx', '2xx'],
    ['status3xx', '3xx'],
    ['status4xx', '4xx'],
    ['status5xx', '5xx'],
  ]
  const rows = counts.map(([key, words]) => ({
    path: `google.${key}`,
    words,
    value: google[key],
    tone: key === 'status5xx' ? 'bad' : undefined,
  }))
  for (const [kind, value] of Object.entries(google.faults)) {
    rows.push({ path: `google.faults.${kind}`, words: FAULTS[kind] ?? kind, value, tone: 'bad' })
  }
  const asked = google.reads + google.writes > 0
  fill('http', bars(asked ? rows.filter(({ value }) => value > 0) : []), 'Nothing has been sent yet.')
}

const shortened = (id) => (id.length > 14 ? `${id.slice(0, 14)}…` : id)

function showPending(pending, now) {
  if (pending === null) {
    put('pending-note', 'The store does not answer, so what is open cannot be listed.')
    return fill('pending', [], 'Not known.')
  }
  const { count, entries } = pending
  put(
    'pending-note',
    count > entries.length
      ? `The oldest ${entries.length} of ${whole(count)} writes and clean-ups that are not settled yet.`
      : 'Writes and clean-up that are not settled yet, as pending() lists them.',
  )
  const rows = entries.map(({ operation, eventId, since, rounds, lastError }) =>
    row(
      head(operation),
      cell(eventId ? element('code', { title: eventId }, shortened(eventId)) : '–'),
      number(age(now - since)),
      number(whole(rounds)),
      cell(lastError ? element('code', {}, lastError) : '–'),
    ),
  )
  return fill('pending', rows, 'Nothing is open.')
}

function showFailures({ recentFailures }) {
  const rows = recentFailures.map(({ at, operation, code, outcome, elapsedMs }) =>
    row(
      head(element('time', { datetime: new Date(at).toISOString() }, clockTime(at))),
      cell(operation),
      cell(element('code', {}, code)),
      cell(OUTCOMES[outcome] ?? outcome),
      number(duration(elapsedMs)),
    ),
  )
  fill('failures', rows, 'No call has failed.')
}
