'use strict'

// The README's picture of a report: the first plots, by a headless Chromium. The table stands in the README as text.
//
//   node reliability/report/picture.js reliability-report.html docs/reliability.png

const { pathToFileURL } = require('node:url')
const { launchChromium } = require('../../__test__/support/chromium')

const PICTURE = { viewport: { width: 1180, height: 900 }, colorScheme: 'light' }

async function main([file, picture]) {
  const browser = await launchChromium()
  try {
    const page = await (await browser.newContext(PICTURE)).newPage()
    await page.goto(pathToFileURL(file).href)
    await page.locator('.plots').first().screenshot({ path: picture })
  } finally {
    await browser.close()
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
