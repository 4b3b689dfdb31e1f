'use strict'

const { ROWS, isGood, textOf } = require('./rows')

/**
 * The figures as text: a column for each profile and contestant.
 *
 * @param {{profile: string, contestant: string, figures: object}[]} results
 * @param {{bold: Function, good: Function, bad: Function, dim: Function}} ink
 */
function table(results, ink) {
  const label = Math.max(...ROWS.map((row) => row.label.length)) + 2
  const columns = results.map((result) => {
    const cells = ROWS.map((row) => textOf(row, result.figures))
    return { ...result, cells, width: Math.max(result.contestant.length, ...cells.map(({ length }) => length)) + 2 }
  })
  const profiles = [...new Set(results.map(({ profile }) => profile))]
  const widthOf = (profile) =>
    columns.filter((column) => column.profile === profile).reduce((sum, { width }) => sum + width, 0)
  const head = profiles.map((profile) => ink.bold(profile.padStart(widthOf(profile)))).join('')
  const names = columns.map(({ contestant, width }) => ink.bold(contestant.padStart(width))).join('')
  const line = `  ${'─'.repeat(label + columns.reduce((sum, { width }) => sum + width, 0))}`
  const rows = ROWS.map((row, index) => {
    const cells = columns.map(({ cells: texts, width, figures }) => {
      const text = texts[index].padStart(width)
      const good = isGood(row, figures)
      return good === null ? text : good ? ink.good(text) : ink.bad(text)
    })
    return `  ${row.label.padEnd(label)}${cells.join('')}`
  })
  return [`  ${' '.repeat(label)}${head}`, `  ${' '.repeat(label)}${names}`, line, ...rows, line].join('\n')
}

module.exports = { table }
