'use strict'

/** Calls `question` until its answer is truthy; fails after `withinMs`. For what happens a moment after an answer. */
async function until(question, withinMs = 5000) {
  const endsAt = performance.now() + withinMs
  for (;;) {
    const answer = await question()
    if (answer) return answer
    if (performance.now() > endsAt) throw new Error(`not within ${withinMs} ms: ${question}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}

module.exports = { until }
