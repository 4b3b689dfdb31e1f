// How figures are written. One rule: rounding never makes a figure look better than it is.

/* exported element, put, whole, part, duration, age, clockTime */

const NOTHING = '–'
const grouped = new Intl.NumberFormat('en')

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Writes a text only where it changes, so that selections and screen readers are left in peace. */
function put(id, text) {
  const place = document.getElementById(id)
  if (place.textContent !== text) place.textContent = text
}

const whole = (count) => grouped.format(count)

/** A share as per cent: `up` for what should be small, else down, so that 99.996 % is not called 100 %. */
function part({ share }, { up = false } = {}) {
  if (share === null) return NOTHING
  const hundredths = share * 10000
  // The tiny slack is for what binary fractions add to a whole number of hundredths.
  const kept = up ? Math.ceil(hundredths - 1e-6) : Math.floor(hundredths + 1e-6)
  return `${(kept / 100).toFixed(kept % 10000 === 0 ? 0 : 2)} %`
}

function duration(ms) {
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`
}

function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`
}

const clockTime = (at) => new Date(at).toLocaleTimeString('en-GB')
