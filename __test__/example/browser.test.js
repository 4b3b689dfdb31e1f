'use strict'

// A person before the example's page in a real browser, and what the calendars hold afterwards.

const { startEmulator } = require('surecal/testing')
const { launchChromium } = require('../support/chromium')
const { faint } = require('../support/faint')
const { lessonsBackend } = require('../support/lessons_backend')

const suite = process.env.SURECAL_SKIP_BROWSER === '1' ? describe.skip : describe

suite('the example’s page in Chromium', () => {
  let browser, emulator, backend, teacher, complaints
  let seed = 0

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    // Another seed: a grant that one test revokes must be no other test's.
    emulator = await startEmulator({ seed: (seed += 1) })
    backend = await lessonsBackend(emulator)
    complaints = []
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    await backend.close()
    await emulator.close()
  })

  const ADA = 'ada@school.test'
  const live = () => emulator.events(ADA, { live: true })
  const guests = async () => (await live()).flatMap(({ attendees = [] }) => attendees.map(({ email }) => email))
  const posted = async () => (await emulator.requests({ operation: 'events.insert' })).length

  /** A browser of a person’s own, signed in. */
  async function pageOf(name, options) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(5000)
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (said) => /Content.Security/i.test(said.text()) && complaints.push(said.text()))
    page.on('request', (request) => request.url().startsWith(backend.url) || complaints.push(request.url()))
    await page.goto(backend.url)
    await page.getByRole('button', { name }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    return page
  }
  const says = (page, text) => page.locator('#message strong', { hasText: text }).waitFor()

  async function connectGoogle(page) {
    await page.locator('#connection').getByRole('link', { name: 'Connect Google' }).click()
    await page.getByRole('link', { name: 'Allow' }).click()
    await says(page, 'Google Calendar is connected')
  }
  async function makeClass(page, title) {
    await page.getByLabel('Title').first().fill(title)
    const requests = []
    page.on('request', (request) => request.method() === 'POST' && requests.push(request))
    await page.getByRole('button', { name: 'Create class' }).dblclick()
    await says(page, `“${title}” is made`)
    return requests
  }

  test('a double click on “Create class” sends two requests, and makes one class', async () => {
    teacher = await pageOf('Ada Lovelace')
    await connectGoogle(teacher)
    const requests = await makeClass(teacher, 'Algebra')
    expect(requests).toHaveLength(2)
    const keys = requests.map((request) => request.headers()['idempotency-key'])
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(keys[1]).toBe(keys[0])
    expect((await live()).map(({ summary }) => summary)).toEqual(['Algebra', 'Algebra', 'Algebra'])
    expect(await posted()).toBe(3)
    // Answered, and not drawn yet, on a busy machine.
    await teacher.locator('.class').first().waitFor()
    await teacher.locator('#events .big', { hasText: '3 events' }).waitFor()
    await expect(teacher.locator('.class').count()).resolves.toBe(1)
    expect(complaints).toEqual([])
  })

  test('a class whose answer never came is made once, by another click after a reload', async () => {
    await backend.connect('ada')
    teacher = await pageOf('Ada Lovelace')
    await teacher.getByLabel('Title').first().fill('Algebra')
    // The backend does its work, and the page never hears of it.
    const reached = new Promise((resolve) => {
      teacher.route('**/api/classes', async (route) => {
        if (route.request().method() !== 'POST') return route.fallback()
        await route.fetch()
        await route.abort()
        resolve()
      })
    })
    await teacher.getByRole('button', { name: 'Create class' }).click()
    await reached
    await says(teacher, 'No answer came')
    await teacher.unroute('**/api/classes')
    await teacher.reload()
    await teacher.getByRole('button', { name: 'Create class' }).click()
    await says(teacher, '“Algebra” is made')
    expect(await live()).toHaveLength(3)
    await expect(teacher.locator('.class').count()).resolves.toBe(1)
  })

  test('a student enrolls by a double click, gets reminders, and leaves; a title with HTML in it is a title', async () => {
    await backend.connect('ada')
    teacher = await pageOf('Ada Lovelace')
    const title = '<img src=x onerror=alert(1)> & “more”'
    await makeClass(teacher, title)
    const student = await pageOf('Ben Okafor')
    await student.getByRole('button', { name: 'Enroll' }).dblclick()
    await says(student, `You are in “${title}”`)
    await student.locator('.badge', { hasText: 'Enrolled' }).waitFor()
    expect(await guests()).toEqual(Array(3).fill('ben@school.test'))
    await expect(student.locator('#reminders li').count()).resolves.toBe(3)

    await student.getByRole('button', { name: 'Leave class' }).dblclick()
    await student.getByRole('button', { name: 'Yes, leave' }).click()
    await says(student, `You have left “${title}”`)
    expect(await guests()).toEqual([])
    await student.getByText('None. They come with a class').waitFor()
    expect(complaints).toEqual([])
  })

  test('where one event refuses, the student reads so, and is on none; afterwards it goes well', async () => {
    await backend.connect('ada')
    teacher = await pageOf('Ada Lovelace')
    await makeClass(teacher, 'Algebra')
    await teacher.getByRole('button', { name: 'Refuse one lesson' }).click()
    await says(teacher, 'Refuse one lesson')
    const student = await pageOf('Ben Okafor')
    await student.getByRole('button', { name: 'Enroll' }).click()
    await says(student, 'You are not enrolled')
    await expect(student.locator('#message p').textContent()).resolves.toContain('nothing was changed')
    expect(await guests()).toEqual([])
    await expect(backend.repository.enrollments()).resolves.toEqual([])
    await expect(backend.repository.remindersOf('ben')).resolves.toEqual([])
    await expect(backend.calendar.pending()).resolves.toEqual([])

    await teacher.getByRole('button', { name: 'No more trouble' }).click()
    await says(teacher, 'No more trouble')
    await student.getByRole('button', { name: 'Enroll' }).click()
    await says(student, 'You are in “Algebra”')
    expect(await guests()).toHaveLength(3)
  })

  test('with a revoked grant the teacher is told to reconnect, and the form is still filled in afterwards', async () => {
    await backend.connect('ada')
    teacher = await pageOf('Ada Lovelace')
    await makeClass(teacher, 'Algebra')
    await teacher.getByRole('button', { name: 'Revoke my grant' }).click()
    await says(teacher, 'Revoke my grant')
    // A grant is asked about when its token ends.
    const { access_token, refresh_token } = await backend.repository.tokensOf('ada')
    await backend.repository.saveTokens('ada', { access_token, refresh_token, expiry_date: 0 })
    await teacher.getByLabel('Title').first().fill('Geometry')
    await teacher.getByRole('button', { name: 'Create class' }).click()
    await says(teacher, 'Reconnect your Google Calendar')
    expect(await live()).toHaveLength(3)

    const student = await pageOf('Ben Okafor')
    await student.getByRole('button', { name: 'Enroll' }).click()
    await says(student, 'The teacher has to reconnect Google Calendar')

    await teacher.locator('#message').getByRole('link', { name: 'Reconnect Google' }).click()
    await teacher.getByRole('link', { name: 'Allow' }).click()
    await says(teacher, 'Google Calendar is connected')
    await expect(teacher.getByLabel('Title').first().inputValue()).resolves.toBe('Geometry')
    await teacher.getByRole('button', { name: 'Create class' }).click()
    await says(teacher, '“Geometry” is made')
    expect(await live()).toHaveLength(6)
  })

  test('the dashboard’s figures move with what people do', async () => {
    await backend.connect('ada')
    teacher = await pageOf('Ada Lovelace')
    const dashboard = await teacher.context().newPage()
    await dashboard.goto(`${backend.url}/dashboard`)
    await dashboard.waitForSelector('#link[data-state="live"]')
    const shows = (figure, text) => dashboard.locator(`[data-figure="${figure}"]`, { hasText: text }).first().waitFor()
    await shows('success.verified.count', /^0$/)
    await makeClass(teacher, 'Algebra')
    await shows('success.verified.count', /^1$/)
    await shows('google.writes', /^3$/)
    expect(await posted()).toBe(3)
    const student = await pageOf('Ben Okafor')
    await student.goto(`${backend.url}/dashboard`)
    await expect(student.textContent('body')).resolves.toBe('You may not see this page.')
  })

  test('light and dark, on a phone and a desk, nothing is cut off sideways and every text has enough contrast', async () => {
    await backend.connect('ada')
    teacher = await pageOf('Ada Lovelace')
    await makeClass(teacher, 'Algebra')
    await teacher.getByRole('button', { name: 'Edit' }).click()
    const student = await pageOf('Ben Okafor')
    await student.getByRole('button', { name: 'Enroll' }).click()
    await says(student, 'You are in “Algebra”')
    for (const page of [teacher, student]) {
      for (const colorScheme of ['light', 'dark']) {
        for (const width of [360, 1180]) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 800 })
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
          expect(await page.evaluate(faint)).toEqual([])
        }
      }
    }
  })
})
