'use strict'

// The demo's program: creates the same classes, through the same faults, once with the usual hand-written service and
// once with surecal, and asks the server what is true.

const { once } = require('node:events')
const known = require('./arguments')
const { program } = require('./command_line')
const { WHOLE_LIMIT_MS } = require('./limits')

program(known, async (chosen) => {
  const { contest } = require('./contest')
  const watchdog = setTimeout(() => {
    process.stderr.write(
      `\nThe demo is not done after ${WHOLE_LIMIT_MS / 1000} s and gives up (seed ${chosen.seed}).\n`,
    )
    process.exit(1)
  }, WHOLE_LIMIT_MS)
  try {
    const keepOpen = async ({ dashboardUrl, say }) => {
      clearTimeout(watchdog)
      say(`  The dashboard stays at ${dashboardUrl} until Ctrl-C.`)
      await once(process, 'SIGINT')
    }
    return await contest(chosen.open ? { ...chosen, keepOpen } : chosen)
  } finally {
    clearTimeout(watchdog)
  }
})
