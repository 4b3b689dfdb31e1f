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
 * One round: `operations` in all, `inFlight` at once.
 *
 * @param {(worker: number) => Promise<void>} operation one operation of the worker of that number
 */
async function work(operation, { operations, inFlight }) {
  const took = []
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
        await operation(worker)
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

/** @param {(worker: number, round: object) => Promise<void>} operation */
async function serveRounds(operation) {
  say({ ready: true })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const round = JSON.parse(line)
    say(await work((worker) => operation(worker, round), round))
  }
  process.exit(0)
}

module.exports = { serveRounds, given: JSON.parse(process.argv[2]) }
