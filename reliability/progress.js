'use strict'

const EVERY_MS = { terminal: 250, log: 10_000 }

/**
 * A line that shows how far each contestant is: rewritten in place on a terminal, now and then a new one in a log.
 *
 * @param {NodeJS.WriteStream} stream
 * @param {string[]} contestants
 * @param {number} operations
 */
function startProgress(stream, contestants, operations) {
  const startedAt = performance.now()
  const at = new Map(contestants.map((name) => [name, { done: 0, kills: 0 }]))
  const told = (name) => {
    const { done, kills, settling, over } = at.get(name)
    if (over) return `${name} done`
    if (settling !== undefined) return `${name} ${done}/${operations}, ${settling} still under way`
    return `${name} ${done}/${operations}, ${kills} kills`
  }
  const show = () => {
    const text = `  ${contestants.map(told).join(' | ')} (${Math.round((performance.now() - startedAt) / 1_000)} s)`
    stream.write(stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`)
  }
  const timer = setInterval(show, stream.isTTY ? EVERY_MS.terminal : EVERY_MS.log)
  return {
    of: (name) => (progress) => void Object.assign(at.get(name), progress),
    over: (name) => void Object.assign(at.get(name), { over: true }),
    stop: () => {
      clearInterval(timer)
      if (stream.isTTY) stream.write('\r\x1b[2K')
      else show()
    },
  }
}

module.exports = { startProgress }
