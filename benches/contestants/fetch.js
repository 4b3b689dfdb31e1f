'use strict'

// Node's own fetch (undici).

const { given, serveRounds } = require('./rounds')

const url = `${given.url}/calendar/v3/calendars/primary/events`
const authorization = { authorization: 'Bearer access-token' }

async function json(response) {
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return response.json()
}

serveRounds(async () => {
  const insert = fetch(`${url}?sendUpdates=all`, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify(given.event),
  })
  const made = await json(await insert)
  const read = await json(await fetch(`${url}/${made.id}`, { headers: authorization }))
  if (read.id !== made.id) throw new Error('another event was read')
})
