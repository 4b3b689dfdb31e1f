'use strict'

const { parseArgs } = require('node:util')
const { ready } = require('../scripts/ready')
const { script } = require('../scripts/run')
const { showSection } = require('./figures')

/**
 * One bench by itself: `node benches/NAME.js [--quick]`.
 *
 * @param {(extent: {quick: boolean}) => AsyncIterable<import('./figures').Section>} bench
 * @param {string[]} [more] names of further switches that it understands
 */
function alone(bench, more = []) {
  script(async () => {
    const options = Object.fromEntries(['quick', ...more].map((name) => [name, { type: 'boolean', default: false }]))
    const { values } = parseArgs({ options })
    await ready('bench')
    for await (const section of bench(values)) showSection(section)
  })
}

module.exports = { alone }
