'use strict'

const { CalendarError } = require('../../index.js')

/** Watches an emulator for requests: what is refused here must never get there. */
function watchRefusals(stage) {
  let before
  beforeEach(async () => {
    before = (await stage.google.counts()).requests
  })

  /** No request of any kind reached the server since the test began. */
  async function expectNothingSent() {
    const { requests } = await stage.google.counts()
    expect(requests - before).toBe(0)
  }

  /** The call is refused for `field`, as a CalendarError, and nothing was sent. Gives the error. */
  async function expectRefused(call, field, code = 'VALIDATION_FAILED') {
    const error = await Promise.resolve(call).then(
      () => null,
      (thrown) => thrown,
    )
    expect(CalendarError.is(error)).toBe(true)
    expect([error.code, error.outcome]).toEqual([code, 'not-sent'])
    expect(`${error.field ?? ''} ${error.message}`).toContain(field)
    await expectNothingSent()
    return error
  }

  return { expectRefused, expectNothingSent }
}

/** An event that holds itself. */
function circle(eventData) {
  eventData.conferenceData = eventData
  return eventData
}

/** What `attempt` throws. */
function thrownBy(attempt) {
  try {
    attempt()
  } catch (error) {
    return error
  }
  return undefined
}

module.exports = { watchRefusals, circle, thrownBy }
