'use strict'

// `npm run soak`: mixed calls through the public API for minutes, with faults, on every store that needs no server, and
// nothing may grow: memory, V8's heap, file descriptors, threads, what Node waits for, what surecal has open.
//
//   npm run soak                      3 minutes
//   npm run soak -- --minutes 10
//   npm run soak -- --store sqlite    one of them: memory, sqlite
//
// Each store has a process of its own (soak_school.js). A line of measurements is a collection of garbage, and then a
// look. What counts is the growth over the last two thirds: the slope of a straight line through them, times their length.

const { fork } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { ready } = require('./ready')
const { StepFailed, say, script } = require('./run')

const STORES = ['memory', 'sqlite']
const SAMPLES = 60
const MB = 1e6

/**
 * What is measured, in whose unit it is told, and how much it may grow over the last two thirds. The memory store keeps
 * what it knows of a write for an hour, so that a late answer meets it: README, "Stores". Beside that, an allocator that
 * has not come to rest is given 8 MB.
 */
const MEASURES = [
  {
    name: 'rss',
    unit: 'MB',
    per: MB,
    bound: ({ store, writes }) => 8 + (store === 'memory' ? (writes * 2000) / MB : 0),
  },
  { name: 'heap', unit: 'MB', per: MB, bound: () => 2 },
  { name: 'external', unit: 'MB', per: MB, bound: () => 2 },
  { name: 'fds', unit: '', per: 1, bound: () => 3 },
  { name: 'threads', unit: '', per: 1, bound: () => 1 },
  { name: 'handles', unit: '', per: 1, bound: () => 3 },
  { name: 'open', unit: '', per: 1, bound: () => 3 },
]

function wanted() {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, store: { type: 'string' } } })
  const minutes = Number(values.minutes ?? 3)
  if (!(minutes > 0)) throw new StepFailed('--minutes must be a number above 0')
  const stores = values.store ? [values.store] : STORES
  if (!stores.every((store) => STORES.includes(store))) throw new StepFailed(`--store must be ${STORES.join(' or ')}`)
  return { minutes, stores }
}

/** How much a straight line through the values rises from the first to the last. */
function growthOf(values) {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let rise = 0
  let run = 0
  values.forEach((value, at) => {
    rise += (at - middle) * (value - mean)
    run += (at - middle) ** 2
  })
  return (rise / run) * (values.length - 1)
}

const BARS = '▁▂▃▄▅▆▇█'

/** The values as a line of bars, from the least to the most of them. */
function plot(values) {
  const least = Math.min(...values)
  const span = Math.max(...values) - least || 1
  return values.map((value) => BARS[Math.round(((value - least) / span) * (BARS.length - 1))]).join('')
}

const shown = (value, unit) => `${unit ? value.toFixed(1) : Math.round(value)}${unit && ` ${unit}`}`

/** Runs one store's school to its end, and prints each of its lines. */
async function soak(store, minutes) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-soak-'))
  const everyMs = Math.max(1000, (minutes * 60_000) / SAMPLES)
  const plan = { store, folder, everyMs, samples: Math.floor((minutes * 60_000) / everyMs) }
  const child = fork(path.join(__dirname, 'soak_school.js'), [JSON.stringify(plan)], { execArgv: ['--expose-gc'] })
  const samples = []
  child.on('message', (sample) => {
    samples.push(sample)
    const told = MEASURES.map(({ name, unit, per }) => `${name} ${shown(sample[name] / per, unit)}`)
    say(
      `${store.padEnd(6)} ${String(Math.round(sample.atMs / 1000)).padStart(4)} s  ${sample.calls} calls, ${sample.failed} failed; ${told.join(', ')}`,
    )
  })
  const code = await new Promise((resolve) => {
    child.on('close', resolve)
  })
  fs.rmSync(folder, { recursive: true, force: true })
  return { store, samples, code }
}

/** Prints one store's table; whether everything is within its bound. */
function judge({ store, samples, code }) {
  if (code !== 0 || samples.length < 6) {
    console.log(`\n${store}: the process ended with ${code} after ${samples.length} measurements`)
    return false
  }
  const last = samples.slice(Math.floor(samples.length / 3))
  const [first, end] = [last[0], last.at(-1)]
  const writes = end.writes - first.writes
  console.log(
    `\n${store}: ${end.calls} calls, ${end.failed} of them failed by the faults; the last two thirds: ${writes} writes`,
  )
  console.log(
    `  ${'measured'.padEnd(10)}${'first'.padStart(10)}${'last'.padStart(10)}${'growth'.padStart(10)}${'at most'.padStart(10)}`,
  )
  const results = MEASURES.map(({ name, unit, per, bound }) => {
    const values = samples.map((sample) => sample[name] / per)
    const growth = growthOf(last.map((sample) => sample[name] / per))
    const most = bound({ store, writes })
    const cells = [values[0], values.at(-1), growth, most].map((value) => shown(value, unit).padStart(10))
    const isFlat = growth <= most
    console.log(`  ${name.padEnd(10)}${cells.join('')}  ${isFlat ? 'ok    ' : 'GROWS '} ${plot(values)}`)
    return isFlat
  })
  return results.every(Boolean)
}

script(async () => {
  const { minutes, stores } = wanted()
  await ready('test')
  say(`${stores.join(' and ')}: ${minutes} min`)
  const ends = await Promise.all(stores.map((store) => soak(store, minutes)))
  return ends.map(judge).every(Boolean) ? 0 : 1
})
