'use strict'

const { parseArgs } = require('node:util')
const { ready } = require('../scripts/ready')
const { script } = require('../scripts/run')
const { showSection } = require('./figures')

/**
 * One bench by itself: `node benches/NAME.js [--quick]`.
 *
 * @param {(extent: {quick: boolean}) => AsyncIterable<import('./figures').Section>} bench
 */
function alone(bench) {
  script(async () => {
    const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
    await ready('bench')
    for await (const section of bench(values)) showSection(section)
  })
}

module.exports = { alone }
