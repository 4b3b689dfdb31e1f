'use strict'

// worker_threads: several of them, ended in the middle of calls, beside a main thread that goes on.

const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { setStage } = require('../support/stage')
const { ROOT, runProgram } = require('../support/process')
const { lesson } = require('../support/lessons')

const stage = setStage()

/** A worker that makes `count` events at once and says the ids; it lives on until it is ended if `stays`. */
const PROGRAM = `
  const { parentPort, workerData: { root, config, token, lesson, count, stays } } = require('node:worker_threads')
  const { CalendarService } = require(root)
  const service = new CalendarService(config)
  const calls = Array.from({ length: count }, () => service.createEvent('u', token, lesson))
  parentPort.postMessage('begun')
  Promise.all(calls).then((all) => parentPort.postMessage(all.map((result) => result.eventId)))
  if (stays) setInterval(() => {}, 1000)
`

function startWorker(user, { count = 5, stays = false } = {}) {
  const workerData = {
    root: ROOT,
    config: stage.google.config,
    token: user.accessToken,
    lesson: lesson(),
    count,
    stays,
  }
  return new Worker(PROGRAM, { eval: true, workerData })
}

/** The ids the worker says. A listener, for two messages may come in one turn. */
const idsOf = (worker) =>
  new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message) => {
      if (Array.isArray(message)) resolve(message)
    })
  })

test('four workers and the main thread make events at once, and each worker ends by itself', async () => {
  const user = await stage.user()
  const workers = Array.from({ length: 4 }, () => startWorker(user))
  const ends = workers.map((worker) => once(worker, 'exit'))
  const service = stage.service()
  const [own, ...others] = await Promise.all([
    service.createEvent(user.email, user.accessToken, lesson()),
    ...workers.map(idsOf),
  ])
  await expect(Promise.all(ends)).resolves.toEqual([[0], [0], [0], [0]])
  const ids = [own.eventId, ...others.flat()]
  expect(new Set(ids).size).toBe(21)
  expect((await stage.live(user)).map(({ id }) => id).sort()).toEqual(ids.sort())
})

test('workers that are terminated in the middle of calls: the main thread’s calls go on', async () => {
  const user = await stage.user()
  await stage.faultFor(user, { operation: 'events.*', fault: { kind: 'latency', ms: 100 } })
  const service = stage.service()
  const calls = Array.from({ length: 5 }, () => service.createEvent(user.email, user.accessToken, lesson()))
  const workers = Array.from({ length: 4 }, () => startWorker(user, { count: 10, stays: true }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  await Promise.all(workers.map((worker) => worker.terminate()))
  for (const result of await Promise.all(calls)) expect(result).toMatchObject({ success: true, verified: true })
  await expect(service.createEvent(user.email, user.accessToken, lesson())).resolves.toMatchObject({ success: true })
})

test('the addon survives that its last environment ends and a new one begins', async () => {
  const user = await stage.user()
  // The main thread of this program never loads the addon: each worker is the last environment when it ends.
  const { code, signal, stdout, stderr } = await runProgram(
    `const { Worker } = require('node:worker_threads')
     const { once } = require('node:events')
     ;(async () => {
       for (let round = 0; round < 6; round += 1) {
         // One that is ended may or may not have come to its answers.
         const stays = round % 2 === 1
         const worker = new Worker(${JSON.stringify(PROGRAM)}, { eval: true, workerData: { ...config, stays } })
         const ended = once(worker, 'exit')
         worker.on('message', (message) => { if (Array.isArray(message) && !stays) console.log(message.length) })
         await once(worker, 'message')
         if (stays) await worker.terminate()
         await ended
       }
     })()`,
    {
      config: { root: ROOT, config: stage.google.config, token: user.accessToken, lesson: lesson(), count: 3 },
    },
  )
  expect([code, signal, stderr, stdout]).toEqual([0, null, '', '3\n3\n3\n'])
})
