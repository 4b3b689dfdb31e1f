// The plot: percentiles as lines, calls as columns below them; one place on the time axis can be read out.

/* global element, drawing, duration, whole, clockTime */
/* exported showPlot */

const LINES = ['p50', 'p95', 'p99']
const SHOWN_MS = 15 * 60000
const SHORTEST_MS = 2 * 60000
const EDGE = { left: 52, right: 44, top: 12, foot: 24, columns: 38, gap: 14 }

const plot = { data: null, picked: null, tip: null }

function showPlot(metrics, now) {
  plot.data = { ...metrics.timeline, now, since: metrics.since }
  draw()
}

/** The next round number, so that the axis has four even steps. */
function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value)
}

function scales(width, height) {
  const { slices, sliceMs, now, since } = plot.data
  const end = now - (now % sliceMs) + sliceMs
  const shown = Math.min(SHOWN_MS, Math.max(SHORTEST_MS, end - since))
  const start = end - shown
  const seen = slices.filter(({ at }) => at >= start)
  const top = niceTop(Math.max(...seen.map(({ p99Ms }) => p99Ms), 100))
  const most = Math.max(...seen.map(({ calls }) => calls), 1)
  const floor = height - EDGE.foot - EDGE.columns - EDGE.gap
  const right = width - EDGE.right
  return {
    ...{ seen, start, end, shown, top, most, floor, right, over: finished(seen, now) },
    width,
    height,
    step: (sliceMs / shown) * (right - EDGE.left),
    x: (at) => EDGE.left + ((at - start) / shown) * (right - EDGE.left),
    y: (ms) => floor - (ms / top) * (floor - EDGE.top),
    // What failed is to be seen, however little it is.
    column: (calls) => (calls === 0 ? 0 : Math.max((calls / most) * EDGE.columns, 2)),
  }
}

/** The slice under way says little of how long calls take: it is drawn as a column only, unless it is all there is. */
function finished(seen, now) {
  const over = seen.filter(({ at }) => at + plot.data.sliceMs <= now)
  return over.length > 0 ? over : seen
}

function draw() {
  const place = document.getElementById('plot')
  const { clientWidth: width, clientHeight: height } = place
  if (!plot.data || width === 0) return
  const scale = scales(width, height)
  const picture = frame(place, width, height)
  picture.setAttribute('aria-label', summary(scale))
  picture.replaceChildren(...axes(scale), ...columns(scale), ...LINES.flatMap((name) => line(scale, name)))
  if (scale.seen.length === 0) {
    const words = text((EDGE.left + scale.right) / 2, scale.floor / 2, 'No call has ended in this time.')
    words.setAttribute('class', 'none')
    picture.append(words)
  }
  readOut(place, picture, scale)
}

/** Made once: it keeps the focus and its listeners. */
function frame(place, width, height) {
  let picture = place.querySelector('svg')
  if (!picture) {
    picture = drawing('svg', { role: 'img', tabindex: 0 })
    picture.addEventListener('pointermove', (event) => pickAt(event.offsetX))
    picture.addEventListener('pointerleave', () => pick(null))
    picture.addEventListener('blur', () => pick(null))
    picture.addEventListener('keydown', onKey)
    place.append(picture)
    new ResizeObserver(draw).observe(place)
  }
  picture.setAttribute('viewBox', `0 0 ${width} ${height}`)
  return picture
}

function summary({ over }) {
  const last = over.at(-1)
  if (!last) return 'Percentiles over time: no call has ended in this time.'
  const told = LINES.map((name) => `${name.toUpperCase()} ${duration(last[`${name}Ms`])}`).join(', ')
  return `Percentiles over time. At ${clockTime(last.at)}: ${told}, ${whole(last.calls)} calls. Arrow keys read out other times.`
}

const text = (x, y, words, anchor = 'middle') => {
  const made = drawing('text', { x, y, 'text-anchor': anchor })
  made.textContent = words
  return made
}

const stroke = (name, x1, y1, x2, y2) => drawing('line', { class: name, x1, y1, x2, y2 })

function axes({ top, y, right, start, end, shown, x, height, width }) {
  const parts = []
  for (let step = 0; step <= 4; step += 1) {
    const ms = (top / 4) * step
    const at = Math.round(y(ms)) + 0.5
    parts.push(stroke(step === 0 ? 'base' : 'grid', EDGE.left, at, right, at))
    parts.push(text(EDGE.left - 8, at + 4, step === 0 ? '0' : axisTime(ms), 'end'))
  }
  const foot = Math.round(height - EDGE.foot) + 0.5
  parts.push(stroke('base', EDGE.left, foot, right, foot))
  const minutes = shown / 60000 > 8 ? (width < 560 ? 5 : 3) : 1
  for (let at = end; at >= start; at -= minutes * 60000) {
    const ago = Math.round((end - at) / 60000)
    parts.push(text(x(at), height - 6, ago === 0 ? 'now' : `−${ago} min`))
  }
  return parts
}

const axisTime = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(2))} s`)

function columns({ seen, x, column, height, step }) {
  const foot = height - EDGE.foot
  const width = Math.max(step - 1.5, 1)
  const bar = (name, at, count) =>
    drawing('rect', { class: name, x: x(at), width, y: foot - column(count), height: column(count) })
  return seen.flatMap(({ at, calls, failed }) => [bar('volume', at, calls), bar('volume failed', at, failed)])
}

/** A line breaks where nothing happened: between two calls an hour apart there is no latency to be told. */
function line({ over, x, y, step }, name) {
  const runs = []
  for (const slice of over) {
    const last = runs.at(-1)?.at(-1)
    if (last && slice.at - last.at <= 2 * plot.data.sliceMs) runs.at(-1).push(slice)
    else runs.push([slice])
  }
  const place = (slice) => [x(slice.at) + step / 2, y(slice[`${name}Ms`])]
  const made = runs.map((run) =>
    run.length === 1
      ? dot(name, ...place(run[0]), 2.5)
      : drawing('path', { class: `line ${name}`, d: `M${run.map((slice) => place(slice).join(' ')).join('L')}` }),
  )
  const last = over.at(-1)
  if (last) made.push(dot(name, ...place(last), 4), lineEnd(last, name, y, place(last)[0]))
  return made
}

const dot = (name, cx, cy, r) => drawing('circle', { class: `point ${name}`, cx, cy, r })

/** The name at the line's end, moved apart where two ends meet. */
function lineEnd(last, name, y, end) {
  const ends = LINES.map((other) => y(last[`${other}Ms`]))
  // From the lowest up: each keeps 13 px from the one below.
  for (let at = 1; at < ends.length; at += 1) ends[at] = Math.min(ends[at], ends[at - 1] - 13)
  return text(end + 9, ends[LINES.indexOf(name)] + 4, name.toUpperCase(), 'start')
}

// ---- reading one slice out ----

function pickAt(offset) {
  const place = document.getElementById('plot')
  const { seen, x, step } = scales(place.clientWidth, place.clientHeight)
  const distance = (slice) => Math.abs(x(slice.at) + step / 2 - offset)
  const near = seen.reduce((best, slice) => (best && distance(best) <= distance(slice) ? best : slice), null)
  pick(near && near.at)
}

function onKey(event) {
  const steps = { ArrowLeft: -1, ArrowRight: 1 }
  if (event.key === 'Escape') return pick(null)
  if (!(event.key in steps)) return undefined
  event.preventDefault()
  const place = document.getElementById('plot')
  const { seen } = scales(place.clientWidth, place.clientHeight)
  const from = seen.findIndex(({ at }) => at === plot.picked)
  const to = from < 0 ? seen.length - 1 : Math.min(Math.max(from + steps[event.key], 0), seen.length - 1)
  return pick(seen[to]?.at ?? null)
}

function pick(at) {
  plot.picked = at
  draw()
}

function readOut(place, picture, { seen, x, y, step, height, width }) {
  const slice = plot.picked === null ? undefined : seen.find(({ at }) => at === plot.picked)
  plot.tip?.remove()
  plot.tip = null
  if (!slice) return
  const middle = x(slice.at) + step / 2
  picture.append(stroke('cross', middle, EDGE.top, middle, height - EDGE.foot))
  picture.append(...LINES.map((name) => dot(name, middle, y(slice[`${name}Ms`]), 4)))
  const rows = [
    ...[...LINES].reverse().map((name) => [name.toUpperCase(), duration(slice[`${name}Ms`])]),
    ['Calls', whole(slice.calls)],
    ['Failed', whole(slice.failed)],
  ]
  plot.tip = element(
    'div',
    { class: 'tip', role: 'status' },
    element('strong', {}, clockTime(slice.at)),
    element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
  )
  place.append(plot.tip)
  const room = width - plot.tip.offsetWidth
  const left = middle > width / 2 ? middle - plot.tip.offsetWidth - 14 : middle + 14
  plot.tip.style.left = `${Math.min(Math.max(left, 0), room)}px`
}
