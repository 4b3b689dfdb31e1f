'use strict'

// A service in a process of its own, and short programs in processes of their own.

const { fork, spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { ownNow } = require('./own_now')

const ROOT = path.join(__dirname, '..', '..')

/**
 * Starts `fixtures/holder.js`, which holds a service with `config`. `call(method, ...args)` resolves or rejects as the
 * method does there; an error arrives with the fields of its toJSON.
 */
async function holdService(config) {
  const child = fork(path.join(__dirname, '..', 'must_show', 'fixtures', 'holder.js'), { serialization: 'advanced' })
  const waiting = new Map()
  let last = 0
  const gone = once(child, 'exit')
  child.on('message', ({ number, result, error }) => {
    const { resolve, reject } = waiting.get(number)
    waiting.delete(number)
    if (error) reject(Object.assign(new Error(error.message), error))
    else resolve(result)
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process is gone: ${code ?? signal}`))
  })
  const call = (method, ...args) =>
    new Promise((resolve, reject) => {
      last += 1
      waiting.set(last, { resolve, reject })
      child.send({ number: last, method, args })
    })
  await call('start', config)
  return {
    call,
    pid: child.pid,
    /** Ends it as a crash does. */
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    /** Lets it end by itself, and tells how: `{ code, signal, tookMs }`. */
    async end() {
      const startedAt = ownNow()
      child.disconnect()
      const [code, signal] = await gone
      return { code, signal, tookMs: ownNow() - startedAt }
    },
  }
}

/**
 * Runs the text of a program (CommonJS, in the project's root) to its end. `surecal` is the package, `REQUIRED_AT` the
 * process's CPU time before it was required; `config` is what is given. Gives `{ code, signal, stdout, stderr, tookMs, lingeredMs }`,
 * the last one from its last word to its end.
 *
 * @param {string} program
 * @param {object} [more] `config`; `nodeArgs`; `onLine`: told of each line of stdout with the child process
 */
async function runProgram(program, { config = {}, nodeArgs = [], onLine } = {}) {
  const text = `const REQUIRED_AT = process.cpuUsage(); const surecal = require('./index.js'); const config = ${JSON.stringify(config)};\n${program}`
  const startedAt = ownNow()
  const child = spawn(process.execPath, [...nodeArgs, '--eval', text], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  let told = 0
  let lastWordAt = startedAt
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (piece) => {
      said[name] += piece
      if (name !== 'stdout') return
      lastWordAt = ownNow()
      if (!onLine) return
      const lines = said.stdout.split('\n').slice(0, -1)
      for (const line of lines.slice(told)) onLine(line, child)
      told = lines.length
    })
  }
  const [code, signal] = await once(child, 'close')
  const endedAt = ownNow()
  return { code, signal, ...said, tookMs: endedAt - startedAt, lingeredMs: endedAt - lastWordAt }
}

module.exports = { holdService, runProgram, ROOT }
