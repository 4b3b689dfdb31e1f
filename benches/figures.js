'use strict'

const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2
}

/** How far the rounds lie apart: half of them are within this share of the median. */
function spread(numbers) {
  const middle = median(numbers)
  return middle === 0 ? 0 : median(numbers.map((number) => Math.abs(number - middle))) / middle
}

const show = (line = '') => process.stdout.write(`${line}\n`)
const progress = (line) => process.stderr.write(`surecal: ${line}\n`)

/**
 * Lines of a table; the first column is words, the others are numbers as text.
 *
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)))
  const line = (row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('   ')
  return [head, ...rows].map((row) => `  ${line(row)}`.trimEnd())
}

/** A goal and whether it was reached. */
function goal(name, value, limit, { least = false, digits = 2 } = {}) {
  const kept = least ? value >= limit : value <= limit
  return { name, value, limit, least, kept, digits }
}

/** A goal's outcome in words. */
function outcomeOf({ name, value, limit, least, digits }) {
  return { name, value: value.toFixed(digits), wanted: `wanted ${least ? '>=' : '<='} ${limit}` }
}

/**
 * One thing that was measured, as the terminal and the report show it.
 *
 * @typedef {object} Section
 * @property {string} title what was measured, and how
 * @property {string[]} head
 * @property {string[][]} rows
 * @property {object[]} [goals] made by `goal`
 * @property {object[]} [plots] what `growthPlot` in report.js takes
 */

/** @param {Section} section */
function showSection({ title, head, rows, goals = [] }) {
  show(title)
  for (const line of table(head, rows)) show(line)
  for (const one of goals) {
    const { name, value, wanted } = outcomeOf(one)
    show(`  ${one.kept ? 'kept  ' : 'MISSED'} ${name}: ${value} (${wanted})`)
  }
  show()
}

/** A number as a cell, or a dash where there is none. */
const cell = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-')

module.exports = { median, spread, show, progress, goal, outcomeOf, showSection, cell }
