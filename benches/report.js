'use strict'

const { escaped, roundUp } = require('../reliability/report/plots')
const { STYLE } = require('../reliability/report/style')
const { outcomeOf } = require('./figures')

const PLOT = { width: 360, height: 190, left: 46, right: 14, top: 12, bottom: 34 }
const number = (value) => Number(value.toFixed(1))
const short = (size) => (size >= 1_000_000 ? `${size / 1_000_000}M` : size >= 1000 ? `${size / 1000}k` : String(size))

/**
 * What an item costs, over how many there are: the sizes on a logarithmic axis, the cost from 0. Flat is good.
 *
 * @param {object} plot
 * @param {string} plot.title
 * @param {string} plot.size what there are ever more of
 * @param {string} plot.unit of the cost
 * @param {[number, number][]} plot.points
 */
function growthPlot({ title, size, unit, points }) {
  const { width, height, left, right, top, bottom } = PLOT
  const end = roundUp(Math.max(...points.map(([, cost]) => cost)))
  const [first, last] = [points[0][0], points.at(-1)[0]].map(Math.log10)
  const x = (value) => number(left + ((Math.log10(value) - first) / (last - first)) * (width - left - right))
  const y = (cost) => number(top + (1 - cost / end) * (height - top - bottom))
  const columns = points.map(
    ([value]) =>
      `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${top}" y2="${y(0)}"/>` +
      `<text class="tick" x="${x(value)}" y="${y(0) + 14}" text-anchor="middle">${short(value)}</text>`,
  )
  const rows = [0, end / 2, end].map(
    (cost) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(cost)}" y2="${y(cost)}"/>` +
      `<text class="tick" x="${left - 6}" y="${y(cost) + 4}" text-anchor="end">${cost}</text>`,
  )
  const line = points.map(([value, cost]) => `${x(value)},${y(cost)}`).join(' ')
  const dots = points.map(([value, cost]) => `<circle class="bar surecal" cx="${x(value)}" cy="${y(cost)}" r="3.2"/>`)
  const below = `<text class="tick" x="${width - right}" y="${height - 4}" text-anchor="end">${escaped(size)}</text>`
  const heading = `${title}, ${unit}`
  return (
    `<figure><figcaption>${escaped(heading)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(heading)}">` +
    `${columns.join('')}${rows.join('')}<polyline class="curve surecal" points="${line}"/>${dots.join('')}${below}</svg></figure>`
  )
}

function tableOf({ head, rows }) {
  const line = (cells, tag) => `<tr>${cells.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('')}</tr>`
  return (
    `<div class="wide"><table><thead>${line(head, 'th')}</thead>` +
    `<tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`
  )
}

function goalsOf(goals) {
  const rows = goals.map((one) => {
    const { name, value, wanted } = outcomeOf(one)
    return (
      `<tr><td>${escaped(name)}</td><td class="${one.kept ? 'good' : 'bad'}">${escaped(value)}${one.kept ? '' : ', missed'}</td>` +
      `<td>${escaped(wanted)}</td></tr>`
    )
  })
  return `<div class="wide"><table><tbody>${rows.join('')}</tbody></table></div>`
}

const sectionOf = (section) => `<h2>${escaped(section.title)}</h2>
${tableOf(section)}
${section.goals?.length ? goalsOf(section.goals) : ''}`

/**
 * The report: one page that loads nothing.
 *
 * @param {{sections: import('./figures').Section[], command: string, machine: string, seconds: number}} run
 */
function report({ sections, command, machine, seconds }) {
  const plots = sections.flatMap((section) => section.plots ?? []).map(growthPlot)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>surecal: how fast</title>
<style>${STYLE}</style>
<h1>How fast</h1>
<p class="soft">${escaped(machine)}; ${seconds} s in all. The same again: <code>${escaped(command)}</code></p>
<p>Each contestant is a process of its own, and so is the server, in Rust and on this machine. Where contestants stand beside
each other, their rounds alternate, and figures are medians; noise is how far half of the rounds lie from it at most.</p>
<h2>What one more costs when there are many</h2>
<p class="soft">Sizes on a logarithmic axis, the cost of one from 0: a level line is what is wanted.</p>
<div class="plots">${plots.join('')}</div>
${sections.map(sectionOf).join('\n')}
</html>
`
}

module.exports = { report }
