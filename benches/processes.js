'use strict'

// The processes of a benchmark: a server of its own, and contestants that speak in lines (contestants/rounds.js).

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const { targetDir } = require('../scripts/paths')

const binary = (name) => path.join(targetDir(), 'release', name)
/** Contestants that are programs in Rust. */
const PROGRAMS = ['bare-reqwest', 'engine-alone']
const script = (name) => path.join(__dirname, 'contestants', `${name}.js`)

/** A process that answers each line with a line. */
class LineProcess {
  #lines
  #child

  constructor(command, args, env = {}) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    this.#lines = readline.createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.name = path.basename(args[0] ?? command)
  }

  /** The next line, parsed. */
  async heard() {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.name} ended before it answered; its own words are above`)
    return JSON.parse(value)
  }

  ask(line) {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`)
    return this.heard()
  }

  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
  }
}

/** benches/native/src/bin/bench-server.rs; `ask` is told what it understands in `Asked` there. */
async function startServer({ tls = false, hangPercent = 0 } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-bench-'))
  const server = new LineProcess(binary('bench-server'), [
    ...(tls ? ['--tls'] : []),
    ...(hangPercent > 0 ? ['--hang-percent', String(hangPercent)] : []),
  ])
  const { url, ca } = await server.heard()
  const caFile = path.join(folder, 'authority.pem')
  if (ca !== undefined) fs.writeFileSync(caFile, ca)
  return {
    url,
    ca,
    caFile: ca && caFile,
    ask: (ask, more) => server.ask({ ask, ...more }),
    async close() {
      await server.close()
      fs.rmSync(folder, { recursive: true })
    },
  }
}

/**
 * A contestant that is ready for rounds: one of `PROGRAMS`, or a script in contestants/.
 *
 * @param {string} name
 * @param {object} server what `startServer` gave
 * @param {object} given what the contestant is told besides the server's address
 */
async function startContestant(name, server, given, { nodeArgs = [] } = {}) {
  const told = JSON.stringify({ url: server.url, ca: server.ca, ...given })
  const env = server.caFile ? { NODE_EXTRA_CA_CERTS: server.caFile } : {}
  const contestant = PROGRAMS.includes(name)
    ? new LineProcess(binary(name), [told])
    : new LineProcess(process.execPath, [...nodeArgs, script(name), told], env)
  contestant.name = name
  await contestant.heard()
  return contestant
}

module.exports = { startServer, startContestant }
