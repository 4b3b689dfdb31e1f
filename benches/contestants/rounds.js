'use strict'

// What every contestant in JavaScript does: it says that it is ready, and for each line on its standard input works one
// round and says in one line what that cost. benches/native/src/bin/bare-reqwest.rs speaks the same.

const fs = require('node:fs')
const { monitorEventLoopDelay, performance } = require('node:perf_hooks')
const readline = require('node:readline')

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/**
 * Milliseconds the main thread ran on a processor; undefined where the system does not tell. The event loop's own figure
 * counts the time in which it was ready and another thread ran in its place.
 */
function mainCpuMs() {
  try {
    return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return undefined
  }
}

/**
 * One round: `operations` in all, `inFlight` at once. With `mayFail`, those that fail are counted; else they end the process.
 *
 * @param {(worker: number) => Promise<void>} operation one operation of the worker of that number
 */
async function work(operation, { operations, inFlight, mayFail }) {
  const took = []
  let failed = 0
  let left = operations
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const loop = performance.eventLoopUtilization()
  const cpu = process.cpuUsage()
  const main = mainCpuMs()
  const began = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async (_, worker) => {
      while (left > 0) {
        left -= 1
        const startedAt = performance.now()
        try {
          await operation(worker)
        } catch (error) {
          if (!mayFail) throw error
          failed += 1
        }
        took.push(performance.now() - startedAt)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const used = process.cpuUsage(cpu)
  const mainUsed = mainCpuMs() - main
  const { active } = performance.eventLoopUtilization(loop)
  delay.disable()
  took.sort((a, b) => a - b)
  return {
    seconds,
    failed,
    cpuMs: (used.user + used.system) / 1000,
    mainMs: active,
    mainCpuMs: Number.isFinite(mainUsed) ? mainUsed : undefined,
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
    loopDelayP99: delay.percentile(99) / 1e6,
    peakRssKb: process.resourceUsage().maxRSS,
    rssKb: Math.round(process.memoryUsage.rss() / 1024),
  }
}

/** What is resident, and what of it is in use by JavaScript. */
const memory = () => {
  const { rss, heapUsed } = process.memoryUsage()
  return { rssKb: Math.round(rss / 1024), heapKb: Math.round(heapUsed / 1024) }
}

/**
 * Works the rounds that it is told of. Instead of one, `{ begin: N }` begins that many operations at once and answers before
 * any is over, `{ measure: true }` tells the memory, and `{ end: true }` waits for all of them.
 *
 * @param {(worker: number, round: object) => Promise<void>} operation
 */
async function serveRounds(operation) {
  say({ ready: true })
  let begun = []
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const round = JSON.parse(line)
    if (round.begin) {
      begun = Array.from({ length: round.begin }, (_, worker) => operation(worker, round))
      say(memory())
    } else if (round.measure) {
      globalThis.gc?.()
      say(memory())
    } else if (round.end) {
      await Promise.all(begun)
      say(memory())
    } else {
      say(await work((worker) => operation(worker, round), round))
    }
  }
  process.exit(0)
}

module.exports = { serveRounds, given: JSON.parse(process.argv[2]) }
