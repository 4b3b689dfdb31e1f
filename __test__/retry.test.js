'use strict'

const { loadOverFake, deferred } = require('./fakes/load')
const { ownNow } = require('./support/own_now')

let surecal, fake
beforeEach(() => {
  ;({ surecal, fake } = loadOverFake())
})

const again = { retry: true, delayMs: 1, why: 'told so' }

describe('executeWithRetry', () => {
  test('gives the answer of the first success and works before configure', async () => {
    fake.verdict = again
    const fn = jest
      .fn()
      .mockRejectedValueOnce(new Error('1'))
      .mockRejectedValueOnce(new Error('2'))
      .mockResolvedValue(3)
    await expect(surecal.executeWithRetry(fn)).resolves.toBe(3)
    expect(fake.verdicts.map(({ attempt }) => attempt)).toEqual([0, 1])
  })

  test('throws the function’s own error, at once where the policy says so and after maxRetries repetitions else', async () => {
    const error = new Error('mine')
    const fn = jest.fn(() => {
      throw error
    })
    await expect(surecal.executeWithRetry(fn, 3)).rejects.toBe(error)
    expect(fn).toHaveBeenCalledTimes(1)
    fake.verdict = again
    await expect(surecal.executeWithRetry(fn, 3)).rejects.toBe(error)
    expect(fn).toHaveBeenCalledTimes(1 + 4)
    await expect(surecal.executeWithRetry(fn, 0)).rejects.toBe(error)
    expect(fn).toHaveBeenCalledTimes(1 + 4 + 1)
  })

  test('tells the policy words and numbers of the error and never its text', async () => {
    const gaxios = Object.assign(new Error('secret@example.com'), {
      name: 'GaxiosError',
      code: '403',
      config: { headers: { Authorization: 'Bearer secret' } },
      response: { status: 403, data: { error: { errors: [{ reason: 'rateLimitExceeded', message: 'secret' }] } } },
    })
    const reset = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } })
    const old = new Error('Google Calendar API call timed out after 10000ms')
    for (const error of [gaxios, reset, old, 'text', undefined]) {
      await surecal.executeWithRetry(() => Promise.reject(error), 1, { idempotent: true }).catch(() => {})
    }
    expect(fake.verdicts.map((asked) => asked.error)).toEqual([
      { status: 403, reason: 'rateLimitExceeded', name: 'GaxiosError' },
      { code: 'ECONNRESET', name: 'TypeError' },
      { code: 'ETIMEDOUT', name: 'Error' },
      {},
      {},
    ])
    expect(JSON.stringify(fake.verdicts)).not.toContain('secret')
    expect(fake.verdicts.every(({ idempotent }) => idempotent)).toBe(true)
  })

  test('a hanging function ends after the whole time with the old message, and is not called again', async () => {
    surecal.configure({ timeoutMs: 50 })
    fake.verdict = again
    const fn = jest.fn(() => deferred().promise)
    await expect(surecal.executeWithRetry(fn)).rejects.toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
      message: 'Google Calendar API call timed out after 50ms',
    })
    expect(fn).toHaveBeenCalledTimes(1)
  })

  test('idempotent work that hangs is cut short and tried again inside the same time', async () => {
    surecal.configure({ timeoutMs: 200 })
    fake.verdict = again
    const fn = jest.fn().mockReturnValueOnce(deferred().promise).mockResolvedValue('second')
    await expect(surecal.executeWithRetry(fn, 3, { idempotent: true })).resolves.toBe('second')
  })

  test('all attempts together stay within the deadline', async () => {
    surecal.configure({ timeoutMs: 120 })
    fake.verdict = { retry: true, delayMs: 30, why: 'told so' }
    const startedAt = ownNow()
    await expect(surecal.executeWithRetry(() => Promise.reject(new Error('x')), 100)).rejects.toThrow('x')
    expect(ownNow() - startedAt).toBeLessThan(500)
    expect(fake.verdicts.length).toBeLessThan(6)
  })

  test('Retry-After is a floor', async () => {
    fake.verdict = again
    surecal.configure({ timeoutMs: 300 })
    const error = Object.assign(new Error('429'), { response: { status: 429, headers: { 'retry-after': '1' } } })
    const fn = jest.fn(() => Promise.reject(error))
    await expect(surecal.executeWithRetry(fn)).rejects.toBe(error)
    expect(fn).toHaveBeenCalledTimes(1)
  })

  test('an error of surecal with an unknown outcome is repeated only for idempotent work', async () => {
    fake.verdict = again
    const unknown = new surecal.CalendarError({ code: 'TIMEOUT', outcome: 'unknown', message: 'words' })
    const fn = jest.fn().mockRejectedValueOnce(unknown).mockResolvedValue('second')
    await expect(surecal.executeWithRetry(fn)).rejects.toBe(unknown)
    fn.mockReset().mockRejectedValueOnce(unknown).mockResolvedValue('second')
    await expect(surecal.executeWithRetry(fn, 1, { idempotent: true })).resolves.toBe('second')
    const refused = new surecal.CalendarError({ code: 'RATE_LIMITED', outcome: 'rejected', message: 'words' })
    fn.mockReset().mockRejectedValueOnce(refused).mockResolvedValue('second')
    await expect(surecal.executeWithRetry(fn)).resolves.toBe('second')
    expect(fake.verdicts.at(-1).idempotent).toBe(true)
  })

  test.each([[-1], [1.5], [NaN], ['3'], [Infinity]])('maxRetries %p is refused', async (maxRetries) => {
    const fn = jest.fn()
    await expect(surecal.executeWithRetry(fn, maxRetries)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    expect(fn).not.toHaveBeenCalled()
  })
})

describe('withTimeout', () => {
  test('passes answers and errors through', async () => {
    await expect(surecal.withTimeout(Promise.resolve(1), 1000, 'x')).resolves.toBe(1)
    await expect(surecal.withTimeout(Promise.reject(new Error('mine')), 1000)).rejects.toThrow('mine')
  })

  test('says which operation took longer than what', async () => {
    await expect(surecal.withTimeout(deferred().promise, 20, 'Google Calendar API call')).rejects.toMatchObject({
      message: 'Google Calendar API call timed out after 20ms',
      code: 'TIMEOUT',
    })
    await expect(surecal.withTimeout(deferred().promise, 5)).rejects.toThrow('Operation timed out after 5ms')
  })

  test('a rejection after the timeout is nobody’s unhandled rejection', async () => {
    const late = deferred()
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)
    await expect(surecal.withTimeout(late.promise, 5)).rejects.toThrow('timed out')
    late.reject(new Error('late'))
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('a time longer than a timer can be does not fire at once', async () => {
    const soon = new Promise((resolve) => {
      setImmediate(resolve, 'soon')
    })
    await expect(surecal.withTimeout(soon, 2 ** 40)).resolves.toBe('soon')
  })

  test.each([[NaN], [-1], ['5'], [undefined]])('%p is no time', async (ms) => {
    await expect(surecal.withTimeout(Promise.resolve(), ms)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })
})

describe('isRetryableError', () => {
  test('asks the policy, and an error of surecal answers for itself', () => {
    fake.verdict = again
    expect(surecal.isRetryableError(Object.assign(new Error('x'), { code: 503 }))).toBe(true)
    expect(fake.verdicts).toEqual([
      { error: { status: 503, name: 'Error' }, attempt: 0, idempotent: false, retry: null },
    ])
    expect(surecal.isRetryableError(new surecal.CalendarError({ code: 'NOT_FOUND', message: 'x' }))).toBe(false)
    expect(surecal.isRetryableError(new surecal.CalendarError({ code: 'RATE_LIMITED', message: 'x' }))).toBe(true)
    expect(surecal.isRetryableError(null)).toBe(false)
    expect(fake.verdicts).toHaveLength(1)
  })
})
