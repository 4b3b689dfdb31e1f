'use strict'

const { FURTHER_TRIES } = require('../customer')
const { RATES } = require('../faults')
const { LIMITS } = require('../limits')
const { ROWS, isGood, percent, seconds, textOf } = require('../rows')
const { bars, curves, escaped } = require('./plots')
const { STYLE } = require('./style')

const CONTESTANTS = {
  before: 'the guide’s service before its fixes, on Google’s own client',
  'as written': 'the guide’s five fixes as they stand there, on the same client',
  surecal: 'the same backend with surecal, an SQLite store and the routes of its README',
}

const rowNamed = (label) => ROWS.find((row) => row.label === label)
const FAILURES = [
  'Silent failures',
  'Token failures',
  'Phantom enrollments',
  'Duplicate events',
  'Hanging requests',
  'Left over',
]

function barsOf(label, results) {
  const row = rowNamed(label)
  return bars({
    title: label,
    bars: results.map(({ profile, contestant, figures }) => ({
      profile,
      contestant,
      value: row.read(figures).share ?? 0,
      text: textOf(row, figures),
    })),
    tick: percent,
    ...(row.goal === 'all' && { end: 1 }),
  })
}

function tableOf(results) {
  const profiles = [...new Set(results.map(({ profile }) => profile))]
  const heads = profiles.map((profile) => {
    const columns = results.filter((result) => result.profile === profile).length
    const faulty = `one request in ${Math.round(1 / RATES[profile])} faulty`
    return `<th colspan="${columns}">${escaped(profile)}: ${faulty}</th>`
  })
  const names = results.map(({ contestant }) => `<th>${escaped(contestant)}</th>`)
  const rows = ROWS.map((row) => {
    const cells = results.map(({ figures }) => {
      const good = isGood(row, figures)
      return `<td${good === null ? '' : ` class="${good ? 'good' : 'bad'}"`}>${escaped(textOf(row, figures))}</td>`
    })
    return `<tr${row.label === 'Overall reliability' ? ' class="main"' : ''}><td>${escaped(row.label)}</td>${cells.join('')}</tr>`
  })
  return (
    `<div class="wide"><table><thead><tr><th></th>${heads.join('')}</tr><tr><th></th>${names.join('')}</tr></thead>` +
    `<tbody>${rows.join('')}</tbody></table></div>`
  )
}

function howOf({ chosen, results, seconds: took }) {
  const { operations, creates, enrollments, refused } = results[0].figures
  const cut = results.map(({ profile, contestant, figures }) => `${contestant}, ${profile}: ${figures.cut}`)
  const limits =
    chosen.scale === 1
      ? `No time is shortened: “before” waits for TCP (${LIMITS.tcpMs / 1_000} s), “as written” 10 s for each exchange, surecal has its own defaults, except that an exchange may take ${LIMITS.surecalExchangeMs / 1_000} s, an enrollment ${LIMITS.surecalEnrollMs / 1_000} s and each attendee in it ${LIMITS.surecalAttendeeMs / 1_000} s, that a dead process’s claims end after ${LIMITS.surecalLeaseMs / 1_000} s (leaseMs), and that the local rate limits are out of the way.`
      : `All contestants’ time limits are at ${chosen.scale * 100} %: this is a look, not a measurement.`
  return [
    `${operations} operations of each contestant in each profile: ${creates} classes created by a double click with one key, in calendars of six time zones; ${enrollments} students who enroll, in crowds, in classes of three events; ${refused} that Google refuses for good.`,
    `Tokens run out all the time, and a few are ended by Google before their time. The backend is a process of its own that was killed ${chosen.kills} times with SIGKILL and started again; its database is another server and survives. Operations that a kill cut off: ${cut.join('; ')}.`,
    `Each contestant has a Google server of its own with the same seeded rules of faults: lost requests and answers, 429, 403, 5xx, hangs, writes that land late, writes acknowledged and not stored or stored wrongly, old reads. Which call a fault strikes depends on the order of requests.`,
    `Customers click again with the same key: at once when they were cut off, after the Retry-After of a 409, and at most ${FURTHER_TRIES} times after a “failed” that does not say that it is final.`,
    limits,
    `The whole run took ${took} s.`,
  ]
}

/**
 * The report: one page that loads nothing.
 *
 * @param {{chosen: object, results: {profile: string, contestant: string, figures: object}[], command: string, seconds: number}} run
 */
function report(run) {
  const { results, command, chosen } = run
  const profiles = [...new Set(results.map(({ profile }) => profile))]
  const contestants = [...new Set(results.map(({ contestant }) => contestant))]
  const curvesOf = profiles.map((profile) =>
    curves(
      `Operations over after a time, ${profile}`,
      results
        .filter((result) => result.profile === profile)
        .map(({ contestant, figures }) => ({ contestant, curve: figures.curve })),
    ),
  )
  const calls = bars({
    title: 'HTTP calls per operation',
    bars: results.map(({ profile, contestant, figures: { httpCallsPerOperation: value } }) => ({
      profile,
      contestant,
      value,
      text: value.toFixed(2),
    })),
    tick: String,
  })
  const late = bars({
    title: 'Latency P95',
    bars: results.map(({ profile, contestant, figures: { p95 } }) => ({
      profile,
      contestant,
      value: p95,
      text: seconds(p95),
    })),
    tick: (ms) => `${ms / 1_000} s`,
  })
  const named = contestants.map((name) => `<dt>${escaped(name)}</dt><dd>${escaped(CONTESTANTS[name])}</dd>`)
  const defined = ROWS.map((row) => `<dt>${escaped(row.label)}</dt><dd>${escaped(row.definition)}</dd>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>surecal: reliability, seed ${chosen.seed}</title>
<style>${STYLE}</style>
<h1>Reliability: ${contestants.map(escaped).join(', ')}</h1>
<p class="soft">Seed ${chosen.seed}. The same again: <code>${escaped(command)}</code></p>
${tableOf(results)}
<h2>What went wrong</h2>
<p class="soft">Shares as defined below; each plot has an axis of its own, from 0.</p>
<div class="plots">${FAILURES.map((label) => barsOf(label, results)).join('')}</div>
<h2>What went well</h2>
<div class="plots">${['Overall reliability', 'Event verification'].map((label) => barsOf(label, results)).join('')}${calls}</div>
<h2>How long it took</h2>
<p class="soft">From the first click to the last answer, failures, hangs, further tries and restarts included. The time axis is logarithmic.</p>
<div class="curves">${curvesOf.join('')}</div>
<div class="plots below">${late}</div>
<h2>The contestants</h2>
<dl>${named.join('')}</dl>
<h2>What each figure is</h2>
<dl>${defined.join('')}</dl>
<h2>How it was measured</h2>
${howOf(run)
  .map((text) => `<p>${escaped(text)}</p>`)
  .join('\n')}
</html>
`
}

module.exports = { report }
