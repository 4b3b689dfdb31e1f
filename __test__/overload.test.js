'use strict'

// limits.maxInFlight: more calls wait, and are told when their deadline comes first.

const { setStage, until } = require('./support/stage')

const stage = setStage()
const lesson = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }

test('a call that finds every seat taken until its deadline is told OVERLOADED, and nothing of it is sent', async () => {
  const [ada, ben] = [await stage.user(), await stage.user()]
  const service = stage.service({ limits: { maxInFlight: 1 } })
  await stage.faultFor(ada, { operation: 'events.insert', nth: 1, fault: { kind: 'latency', ms: 1500 } })
  const first = service.createEvent('ada', ada.credentials, lesson)
  await until(() => service.metrics().inFlight === 1)
  const late = await service.createEvent('ben', ben.credentials, lesson, { timeoutMs: 300 }).catch((thrown) => thrown)
  expect(late).toMatchObject({ code: 'OVERLOADED', outcome: 'not-sent', retryable: true })
  expect(await stage.requestsOf(ben)).toEqual([])
  const patient = service.createEvent('ben', ben.credentials, lesson)
  expect(await first).toMatchObject({ verified: true })
  expect(await patient).toMatchObject({ verified: true })
})
