'use strict'

const fs = require('node:fs')
const { chromium } = require('playwright-core')

const EXECUTABLE = process.env.SURECAL_CHROMIUM ?? '/usr/bin/chromium'

/** Everything a browser does of its own accord is switched off. */
const QUIETLY = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A headless Chromium of the system's; without one the tests fail and say what to do. */
async function launchChromium() {
  if (!fs.existsSync(EXECUTABLE)) {
    throw new Error(
      `There is no Chromium at ${EXECUTABLE}. Install it (Debian: apt-get install -y chromium), name another one with ` +
        'SURECAL_CHROMIUM, or leave these tests out with SURECAL_SKIP_BROWSER=1.',
    )
  }
  return chromium.launch({ executablePath: EXECUTABLE, args: QUIETLY })
}

module.exports = { launchChromium }
