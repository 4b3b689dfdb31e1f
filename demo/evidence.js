'use strict'

const { isPerfect } = require('./audit')

const isoTime = (atMs) => `${String(atMs).padStart(6)} ms`

/** What there is to know of each class that went wrong: the answers, the live events, every request to its calendar. */
async function evidence(google, { classes }) {
  const requests = await google.requests()
  const lines = classes
    .filter((one) => !isPerfect(one))
    .flatMap(({ teacher, duplicates, silent, leftOver, answers, live }) => [
      `  ${teacher}: ${live.length} live, duplicates ${duplicates}, silent ${silent}, left-over ${leftOver}`,
      ...answers.map(
        ({ success, eventId, message, elapsedMs }) =>
          `    told ${success ? `"created" ${eventId}` : `"failed": ${message}`} after ${Math.round(elapsedMs)} ms`,
      ),
      ...live.map(({ id, summary, start }) => `    live ${id} ${JSON.stringify(summary)} ${start?.dateTime}`),
      ...requests
        .filter(({ calendarId }) => calendarId === teacher)
        .map(
          ({ atMs, operation, eventId, status, fault, committed, ifMatch }) =>
            `    ${isoTime(atMs)} ${operation} ${eventId ?? ''} -> ${status ?? 'no answer'}` +
            `${fault ? ` [${fault}]` : ''}${committed ? ' committed' : ''}${ifMatch ? ` if-match ${ifMatch}` : ''}`,
        ),
    ])
  return lines.join('\n')
}

module.exports = { evidence }
