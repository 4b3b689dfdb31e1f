'use strict'

const { setStage } = require('../support/stage')
const { runProgram } = require('../support/process')
const { lesson } = require('../support/lessons')

const MB = 1e6
const CREATES = 3000
const stage = setStage()

// The bound: the journal keeps a record of each call for an hour, 2 kB with its place in the map and never the event;
// the rest is the allocator's, which gives back what it does not need only later: the least of some looks is told. One kept
// copy of these 20 kB events would be 60 MB, one kept connection or task a call more than that. V8's own heap is looked at
// by what is used of it: its size grows with the garbage of a busy program.
const BOUND_MB = 24
const LOOKS = 8

test('3,000 creates do not grow memory', async () => {
  const user = await stage.user()
  await stage.google.behaviour({ logLimit: 100 })
  const limits = { perUserPerMinute: 1e6, perProjectPerMinute: 1e7 }
  const { code, stdout, stderr } = await runProgram(
    `const eventData = ${JSON.stringify(lesson({ description: 'x'.repeat(20_000) }))}
     const service = new surecal.CalendarService(config)
     async function creates(count) {
       let left = count
       const lane = async () => {
         while (left-- > 0) {
           const result = await service.createEvent('u', ${JSON.stringify(user.accessToken)}, eventData)
           if (!result.verified) throw new Error('not verified')
         }
       }
       await Promise.all(Array.from({ length: 16 }, lane))
       gc()
       const { rss, heapTotal, heapUsed } = process.memoryUsage()
       return { native: (rss - heapTotal) / ${MB}, heap: heapUsed / ${MB} }
     }
     async function least(count) {
       const looks = [await creates(count - ${LOOKS - 1})]
       while (looks.length < ${LOOKS}) looks.push(await creates(1))
       const of = (figure) => Math.min(...looks.map((look) => look[figure]))
       return { native: of('native'), heap: of('heap') }
     }
     ;(async () => {
       const warm = await least(500)
       const after = await least(${CREATES})
       const { inFlight, openWork } = service.metrics()
       console.log(JSON.stringify({ native: after.native - warm.native, heap: after.heap - warm.heap, inFlight, openWork }))
     })()`,
    { config: { ...stage.google.config, limits }, nodeArgs: ['--expose-gc'] },
  )
  expect([code, stderr]).toEqual([0, ''])
  const grown = JSON.parse(stdout)
  expect(grown).toMatchObject({ inFlight: 0, openWork: 0 })
  expect(grown.native).toBeLessThan(BOUND_MB)
  expect(grown.heap).toBeLessThan(2)
  await expect(stage.google.counts()).resolves.toMatchObject({ liveEvents: CREATES + 500 })
})
