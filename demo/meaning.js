'use strict'

const { isPerfect } = require('./audit')
const { stormsAmong } = require('./faults')
const { EXCHANGE_LIMIT_MS } = require('./limits')
const { seconds } = require('./table')

const WIDTH = 96

/** Breaks a sentence into lines of at most WIDTH. */
function wrapped(text) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart()
    if (longer.length <= WIDTH) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines.map((line) => `  ${line}`).join('\n')
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`

/** What is about to happen. */
const opening = ({ seed, classes }) =>
  [
    `surecal demo, seed ${seed}. ${count(classes, 'teacher creates a class', 'teachers create a class each')}, by a double ` +
      'click: two HTTP requests with one X-Idempotency-Key to an Express app. "before" is the usual hand-written service ' +
      "on Google's own client; with surecal that one file of the app is replaced, nothing else.",
    'Each has a Google Calendar server of its own with the same faults at the same calls: requests and answers lost, ' +
      'hangs, 429, 403, 5xx, garbage, events stored late, wrongly or not at all. Every second class is struck at its first ' +
      `insert, later calls now and then; for ${count(stormsAmong(classes), 'class', 'classes')} every answer to an insert ` +
      'is lost for a while.',
  ]
    .map(wrapped)
    .join('\n')

/** The table in words. */
function meaning({ before, surecal }) {
  return [
    `Duplicates: the old service makes an event for every click, and sends an insert again when only its answer was ` +
      `lost. At least ${before.repeatedBlindly} of its ${before.duplicates} duplicates come from such repeats alone.`,
    `Silent: it believes every 200; ${count(before.silent, 'time', 'times')} it said "created" of an event that is missing ` +
      `or wrong. Left-over: of ${count(before.toldFailed, 'class', 'classes')} it said "failed" to the last, and ` +
      `${before.leftOver} of them stayed in the calendar.`,
    isPerfect(surecal)
      ? 'surecal makes the event id from the key, looks before it sends anything again, and reads back what it wrote: ' +
        'every class is there once, and every answer was true.'
      : 'surecal was NOT perfect: that is a bug. What is known of it is listed below.',
    `Whoever got "failed" for both clicks clicked once more, with the same key (before: ${before.clickedAgain}, surecal: ` +
      `${surecal.clickedAgain}). To keep this short, one HTTP exchange may take ${seconds(EXCHANGE_LIMIT_MS)} for both; in ` +
      'production it is 4 s for surecal, and for the old service, which has no timeout, 30 s and more.',
  ]
    .map(wrapped)
    .join('\n')
}

module.exports = { opening, meaning }
