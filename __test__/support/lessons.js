'use strict'

/** An event as callers write it: an hour in UTC. */
const lesson = (more = {}) => ({
  summary: 'Algebra',
  start: { dateTime: '2027-07-01T10:00:00Z' },
  end: { dateTime: '2027-07-01T11:00:00Z' },
  ...more,
})

/** A request for a Meet link. */
const meet = (requestId) => ({
  createRequest: { requestId, conferenceSolutionKey: { type: 'hangoutsMeet' } },
})

module.exports = { lesson, meet }
