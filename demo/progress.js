'use strict'

const { seconds } = require('./table')

const EVERY_MS = { terminal: 200, log: 5_000 }

/**
 * A line that shows how far both are: rewritten in place on a terminal, now and then a new one in a log.
 *
 * @param {NodeJS.WriteStream} stream
 * @param {number} total classes and students
 */
function startProgress(stream, total) {
  const startedAt = performance.now()
  const done = { before: 0, surecal: 0 }
  let stage = 'people answered'
  const show = () => {
    const text = `  ${stage}: before ${done.before}/${total}, surecal ${done.surecal}/${total} (${seconds(performance.now() - startedAt)})`
    stream.write(stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`)
  }
  const timer = setInterval(show, stream.isTTY ? EVERY_MS.terminal : EVERY_MS.log)
  return {
    oneDone: (name) => {
      done[name]++
    },
    settling: () => {
      stage = 'all answered, waiting for late writes and clean-up'
    },
    stop: () => {
      clearInterval(timer)
      if (stream.isTTY) stream.write('\r\x1b[2K')
      else show()
    },
  }
}

module.exports = { startProgress }
