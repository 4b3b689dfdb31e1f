'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/** Backends that end with the test, and the folder they share. */
class Backends {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
  #children = []

  get #runs() {
    return path.join(this.folder, 'runs')
  }

  /** Another process with a service of this configuration; resolves when it serves. */
  async start(config) {
    const child = fork(path.join(__dirname, 'idempotent_backend.js'), [JSON.stringify({ config, runs: this.#runs })])
    this.#children.push(child)
    const [{ port }] = await once(child, 'message')
    return { child, port, pid: child.pid }
  }

  /** The runs of handlers: the key and the process of each. */
  runs() {
    if (!fs.existsSync(this.#runs)) return []
    const lines = fs.readFileSync(this.#runs, 'utf8').trim().split('\n')
    return lines.map((line) => line.split(' ')).map(([key, pid]) => ({ key, pid: Number(pid) }))
  }

  async stop() {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    fs.rmSync(this.folder, { recursive: true })
  }
}

module.exports = { Backends }
