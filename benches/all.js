'use strict'

// `npm run bench [-- --quick] [--report FILE]`: makes ready with release builds, runs every bench, and writes a report of
// them. Benchmarks are no tests: CI does not run them.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { targetDir } = require('../scripts/paths')
const { ready } = require('../scripts/ready')
const { script } = require('../scripts/run')
const { progress, show, showSection } = require('./figures')
const { report } = require('./report')

const BENCHES = ['create', 'tail', 'burst', 'enroll', 'expired', 'middleware', 'growth', 'load']

const machine = () => `${os.availableParallelism()} × ${os.cpus()[0]?.model ?? 'processor'}, Node ${process.version}`

script(async () => {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, report: { type: 'string' } },
  })
  await ready('bench')
  const sections = []
  const began = performance.now()
  const seconds = () => Math.round((performance.now() - began) / 1000)
  for (const name of BENCHES) {
    // Not before `ready`: in a fresh clone there are no packages yet.
    const bench = require(`./${name}`)[`${name}Bench`]
    for await (const section of bench(values)) {
      showSection(section)
      sections.push(section)
    }
    progress(`${name} is done; ${BENCHES.indexOf(name) + 1} of ${BENCHES.length} benches after ${seconds()} s`)
  }
  const missed = sections.flatMap(({ goals = [] }) => goals).filter(({ kept }) => !kept)
  show(missed.length === 0 ? 'Every goal was kept.' : `${missed.length} goals were missed; they are marked above.`)
  const file = path.resolve(values.report ?? path.join(targetDir(), 'bench-report.html'))
  const command = `npm run bench${values.quick ? ' -- --quick' : ''}`
  fs.writeFileSync(file, report({ sections, command, machine: machine(), seconds: seconds() }))
  show(`The report: ${file}`)
})
