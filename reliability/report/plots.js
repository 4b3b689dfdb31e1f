'use strict'

// The report's plots, as inline SVG. Every bar begins at 0, every axis says its end, and colours are the page's.

const WIDTH = 360
const BAR = 16
const GAP = 8
const LABEL = 82
/** Room for the longest text of a full bar, "6768 (99.53 %)". */
const VALUE = 112

const classOf = (contestant) => contestant.replaceAll(' ', '-')
const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const number = (value) => Number(value.toFixed(2))

/** The next round number: where an axis ends. */
function roundUp(value) {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999)
}

/**
 * Horizontal bars, a group for each profile.
 *
 * @param {object} plot
 * @param {string} plot.title
 * @param {{profile: string, contestant: string, value: number, text: string}[]} plot.bars
 * @param {number} [plot.end] of the axis; the next round number if absent
 * @param {(value: number) => string} plot.tick the axis's end as text
 */
function bars({ title, bars: all, end = roundUp(Math.max(...all.map(({ value }) => value))), tick }) {
  const profiles = [...new Set(all.map(({ profile }) => profile))]
  const span = WIDTH - LABEL - VALUE
  let y = 4
  const parts = []
  for (const profile of profiles) {
    parts.push(`<text class="group" x="0" y="${y + 12}">${escaped(profile)}</text>`)
    y += 20
    for (const { contestant, value, text } of all.filter((bar) => bar.profile === profile)) {
      const length = number((span * value) / end)
      parts.push(
        `<text class="name" x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${escaped(contestant)}</text>`,
        `<rect class="bar ${classOf(contestant)}" x="${LABEL}" y="${y}" width="${Math.max(length, 1)}" height="${BAR}" rx="2"/>`,
        `<text class="value" x="${LABEL + Math.max(length, 1) + 6}" y="${y + 12}">${escaped(text)}</text>`,
      )
      y += BAR + GAP
    }
    y += 4
  }
  const axis =
    `<line class="axis" x1="${LABEL}" x2="${LABEL}" y1="4" y2="${y}"/>` +
    `<line class="grid" x1="${LABEL + span}" x2="${LABEL + span}" y1="4" y2="${y}"/>` +
    `<text class="tick" x="${LABEL}" y="${y + 13}">0</text>` +
    `<text class="tick" x="${LABEL + span}" y="${y + 13}" text-anchor="middle">${escaped(tick(end))}</text>`
  return figure(title, WIDTH, y + 20, axis + parts.join(''))
}

const CURVE = { width: 560, height: 280, left: 44, right: 92, top: 10, bottom: 34 }
const TIMES = [0.1, 0.3, 1, 3, 10, 30, 100]
const SHARES = [0, 0.25, 0.5, 0.75, 0.95, 1]

/**
 * How many operations were over after how long: the time on a logarithmic axis.
 *
 * @param {string} title
 * @param {{contestant: string, curve: number[]}[]} lines equally spaced quantiles, in milliseconds
 */
function curves(title, lines) {
  const { width, height, left, right, top, bottom } = CURVE
  const [first, last] = [Math.log10(TIMES[0]), Math.log10(TIMES.at(-1))]
  const x = (seconds) => {
    const place = (Math.log10(Math.min(Math.max(seconds, TIMES[0]), TIMES.at(-1))) - first) / (last - first)
    return number(left + place * (width - left - right))
  }
  const y = (share) => number(top + (1 - share) * (height - top - bottom))
  const grid = [
    ...TIMES.map(
      (time) =>
        `<line class="grid" x1="${x(time)}" x2="${x(time)}" y1="${top}" y2="${y(0)}"/>` +
        `<text class="tick" x="${x(time)}" y="${y(0) + 15}" text-anchor="middle">${time} s</text>`,
    ),
    ...SHARES.map(
      (share) =>
        `<line class="grid" x1="${left}" x2="${x(TIMES.at(-1))}" y1="${y(share)}" y2="${y(share)}"/>` +
        `<text class="tick" x="${left - 6}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
    ),
  ].join('')
  const drawn = lines.map(({ contestant, curve }) => {
    const points = curve.map((ms, index) => `${x(ms / 1_000)},${y((index + 1) / curve.length)}`)
    return `<polyline class="curve ${classOf(contestant)}" points="${x(curve[0] / 1_000)},${y(0)} ${points.join(' ')}"/>`
  })
  const key = lines.map(({ contestant }, index) => {
    const at = top + 14 + index * 20
    return (
      `<rect class="bar ${classOf(contestant)}" x="${width - right + 10}" y="${at - 9}" width="12" height="4"/>` +
      `<text class="name" x="${width - right + 28}" y="${at - 3}">${escaped(contestant)}</text>`
    )
  })
  return figure(title, width, height, grid + drawn.join('') + key.join(''))
}

function figure(title, width, height, content) {
  return (
    `<figure><figcaption>${escaped(title)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">${content}</svg></figure>`
  )
}

module.exports = { bars, curves, escaped, roundUp }
