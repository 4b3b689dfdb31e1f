'use strict'

const { EXCHANGE_LIMIT_MS } = require('./limits')
const { isPerfect } = require('./audit')
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

const times = (count) => (count === 1 ? 'once' : `${count} times`)

/** The table in words. */
function meaning({ before, surecal }) {
  const spared = isPerfect(surecal)
    ? 'surecal makes the id from the key, looks before it sends anything again, and reads back what it wrote: each ' +
      'class is there once, and every answer was true.'
    : 'surecal was NOT perfect here: that is a bug. What happened is listed below.'
  return [
    `Duplicates: the old service makes one event for each click, and sends an insert again when only its answer was ` +
      `lost; of its ${before.duplicates} duplicates at least ${before.repeatedBlindly} come from such repeats alone.`,
    `Silent: the old service believes every 200, and told a teacher "created" ${times(before.silent)} for a class that ` +
      `is missing or wrong. Left-over: it told ${before.toldFailed} teachers "failed"; ${before.leftOver} of them have the class.`,
    spared,
    `Fair play: same requests, same faults at the same calls. Whoever was told "failed" by both clicks clicked once ` +
      `more, with the same key (before: ${before.clickedAgain}, surecal: ${surecal.clickedAgain}). One HTTP exchange may ` +
      `take ${seconds(EXCHANGE_LIMIT_MS)} for both, to keep this short; in production it is 4 s for surecal, and 30 s ` +
      `and more for the old service.`,
  ]
    .map(wrapped)
    .join('\n')
}

module.exports = { meaning, wrapped }
