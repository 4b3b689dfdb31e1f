'use strict'

const fs = require('node:fs')
const { inkFor } = require('../demo/table')
const { measure } = require('./contestant')
const { evidence } = require('./evidence')
const { missedGoals } = require('./figures')
const { limitsAt } = require('./limits')
const { startProgress } = require('./progress')
const { report } = require('./report/report')
const { table } = require('./table')
const { workload } = require('./workload')

/** The command that does the same again. */
function commandOf({ seed, operations, kills, quick, profiles, contestants }) {
  const words = quick ? ['--quick'] : ['--operations', operations, '--kills', kills]
  if (profiles.length === 1) words.push('--profile', profiles[0])
  if (contestants.length < 3) words.push('--only', `"${contestants.join(',')}"`)
  return `npm run reliability -- ${[...words, '--seed', seed].join(' ')}`
}

/** All contestants under one profile, side by side in time, each with a server of its own. */
async function underProfile(profile, chosen, out) {
  const { seed, operations, kills, scale, pace, contestants } = chosen
  const work = workload({ seed, operations, kills })
  const limits = limitsAt(scale)
  const progress = startProgress(out, contestants, operations)
  try {
    return await Promise.all(
      contestants.map(async (contestant) => {
        const result = await measure({ contestant, profile, work, limits, pace, onProgress: progress.of(contestant) })
        try {
          progress.over(contestant)
          return { ...result, evidence: contestant === 'surecal' ? await evidence(result, work) : '' }
        } finally {
          await result.close()
        }
      }),
    )
  } finally {
    progress.stop()
  }
}

/**
 * The whole: every profile, the table, the report.
 *
 * @param {ReturnType<import('./arguments').parseArguments>} chosen
 * @param {NodeJS.WritableStream} [out]
 * @returns {Promise<{code: number, results: object[]}>} code 0 only if surecal reached the goal in every profile
 */
async function contest(chosen, out = process.stdout) {
  const say = (text = '') => out.write(`${text}\n`)
  const startedAt = performance.now()
  say(
    `\n  Reliability, seed ${chosen.seed}: ${chosen.operations} operations and ${chosen.kills} kills of each of ` +
      `${chosen.contestants.join(', ')}; faults: ${chosen.profiles.join(', ')}.\n`,
  )
  const results = []
  for (const profile of chosen.profiles) {
    say(`  ${profile} …`)
    results.push(...(await underProfile(profile, chosen, out)))
  }
  say(`\n${table(results, inkFor(out))}\n`)
  const missed = results
    .filter(({ contestant }) => contestant === 'surecal')
    .flatMap(({ profile, figures, rest, evidence: known }) => {
      const goals = missedGoals(figures)
      if (rest.open > 0) goals.push(`not at rest: ${rest.open} still under way`)
      return goals.length > 0 ? [`  surecal, ${profile}, missed the goal: ${goals.join(', ')}.\n${known}`] : []
    })
  missed.forEach(say)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  if (chosen.out !== null) {
    fs.writeFileSync(chosen.out, report({ chosen, results, command: commandOf(chosen), seconds }))
    say(`  The report: ${chosen.out}`)
  }
  say(`  ${seconds} s. The same again: ${commandOf(chosen)}`)
  return { code: missed.length === 0 ? 0 : 1, results }
}

module.exports = { contest }
