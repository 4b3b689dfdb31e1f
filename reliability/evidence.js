'use strict'

const { isReliable } = require('./figures')

/** So many operations are told of in full. */
const MOST = 5

/**
 * What there is to know of operations that went wrong: what their customer heard, and every request to their events.
 *
 * @param {{google: import('../lib/testing').Emulator, findings: import('./audit').Finding[]}} result
 * @param {ReturnType<import('./workload').workload>} work
 */
async function evidence({ google, findings }, { classes }) {
  const wrong = findings.filter(
    (finding) => finding.silent || finding.leftOver || (finding.step.refusal === null && !isReliable(finding)),
  )
  if (wrong.length === 0) return ''
  // The worst first: told wrongly before told truthfully that it failed.
  wrong.sort((one, other) => Number(other.silent || other.leftOver) - Number(one.silent || one.leftOver))
  const requests = await google.requests()
  const lines = wrong.slice(0, MOST).flatMap(({ step, outcome, copies, silent, phantom, leftOver }) => {
    const told = outcome.answers.map(
      ({ status, body: { code, message } }) => `    ${status} ${code ?? ''} ${message ?? ''}`,
    )
    const ids =
      step.kind === 'create'
        ? outcome.answers.map(({ body }) => body.eventId)
        : classes.find(({ classId }) => classId === step.classId).events.map(({ id }) => id)
    const seen = requests
      .filter(({ eventId }) => eventId !== null && ids.includes(eventId))
      .map(
        ({ atMs, operation, eventId, status, fault, committed }) =>
          `    ${String(atMs).padStart(7)} ms ${operation} ${eventId} -> ${status ?? 'no answer'}` +
          `${fault ? ` [${fault}]` : ''}${committed ? ' committed' : ''}`,
      )
    const what = [silent && 'silent', phantom && 'phantom', leftOver && 'left over', copies > 1 && `${copies} events`]
    return [`  ${step.name}: told ${outcome.told}; ${what.filter(Boolean).join(', ') || 'failed'}`, ...told, ...seen]
  })
  const more = wrong.length > MOST ? [`  … and ${wrong.length - MOST} more`] : []
  return [...lines, ...more].join('\n')
}

module.exports = { evidence }
