'use strict'

// 3,000 creates do not grow memory.

const { setStage } = require('../support/stage')
const { runProgram } = require('../support/process')
const { lesson } = require('../support/lessons')

const stage = setStage()

test('3,000 creates do not grow memory', async () => {
  const user = await stage.user()
  await stage.google.behaviour({ logLimit: 100 })
  const limits = { perUserPerMinute: 1e6, perProjectPerMinute: 1e7 }
  const { code, stdout, stderr } = await runProgram(
    `const eventData = ${JSON.stringify(lesson({ description: 'x'.repeat(2000) }))}
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
       return process.memoryUsage()
     }
     ;(async () => {
       const seen = []
       for (let round = 0; round < 5; round += 1) seen.push(await creates(round === 0 ? 1000 : 750))
       console.log(JSON.stringify(seen))
     })()`,
    { config: { ...stage.google.config, limits }, nodeArgs: ['--expose-gc'] },
  )
  expect([code, stderr]).toEqual([0, ''])
  console.error(stdout)
}, 60000)
