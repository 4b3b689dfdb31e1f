'use strict'

// `npm run picture`, its second half: the README's picture of the example's page. A teacher makes classes on the page, and
// students enroll.
//
//   node scripts/example_picture.js [--into FOLDER]   with a folder: the teacher's and a student's page, light, dark and phone

const { once } = require('node:events')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { ROOT } = require('./paths')
const { ready } = require('./ready')
const { say, script } = require('./run')

const CLASSES = ['Number theory', 'Algebra for beginners']
const STUDENTS = ['Ben Okafor', 'Cleo Marín', 'Dan Iyer']

/** The README's: the top of a teacher's page. */
const PICTURE = { viewport: { width: 1120, height: 820 }, colorScheme: 'light' }
const VIEWS = {
  light: { viewport: { width: 1180, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1180, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, deviceScaleFactor: 2 },
}

/** A browser of a person's own, signed in. */
async function pageOf(browser, url, name, view = {}) {
  const context = await browser.newContext({ ...view, timezoneId: 'Europe/London' })
  const page = await context.newPage()
  await page.goto(url)
  await page.getByRole('button', { name }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  return page
}

async function teach(browser, url) {
  const teacher = await pageOf(browser, url, 'Ada Lovelace')
  await teacher.locator('#connection').getByRole('link').click()
  await teacher.getByRole('link', { name: 'Allow' }).click()
  for (const title of CLASSES) {
    await teacher.getByLabel('Title').first().fill(title)
    await teacher.getByRole('button', { name: 'Create class' }).dblclick()
    await teacher.locator('#message', { hasText: title }).waitFor()
  }
  for (const name of STUDENTS) {
    const student = await pageOf(browser, url, name)
    await student.getByRole('button', { name: 'Enroll' }).last().click()
    await student.locator('.badge').waitFor()
    await student.context().close()
  }
  await teacher.context().close()
}

async function photograph(browser, url, into) {
  const shots = into
    ? ['Ada Lovelace', 'Ben Okafor'].flatMap((name) => Object.entries(VIEWS).map(([view, how]) => [name, view, how]))
    : [['Ada Lovelace', null, PICTURE]]
  for (const [name, view, how] of shots) {
    const page = await pageOf(browser, url, name, how)
    await page.locator('.class').first().waitFor()
    if (name === 'Ada Lovelace') await page.locator('#events .big').waitFor() // Google's list comes last
    const file = into ? path.join(into, `${name.split(' ')[0]}-${view}.png`) : path.join(ROOT, 'docs', 'example.png')
    await page.screenshot({ path: file, fullPage: Boolean(into) })
    say(`${file} is new`)
  }
}

script(async () => {
  const { values } = parseArgs({ options: { into: { type: 'string' } } })
  await ready('test')
  const { startEmulator } = require('../lib/testing')
  const { launchChromium } = require('../__test__/support/chromium')
  const { openBackend } = require('../examples/express-backend/backend')
  const { emulatedGoogle } = require('../examples/express-backend/google/emulated')
  const { openRepository } = require('../examples/express-backend/repository/open')
  const emulator = await startEmulator()
  const repository = await openRepository({ file: ':memory:' })
  const backend = await openBackend({ repository, google: emulatedGoogle(emulator) })
  const server = backend.app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const browser = await launchChromium()
  try {
    const url = `http://127.0.0.1:${server.address().port}`
    await teach(browser, url)
    await photograph(browser, url, values.into)
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
    await backend.close()
    await emulator.close()
  }
  return 0
})
