'use strict'

/** Texts whose contrast to what is behind them is under 4.5 (WCAG 2.2, 1.4.3). Runs in the page. */
function faint() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number)
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour)
      .slice(0, 3)
      .map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor
      if (channels(colour)[3] !== 0) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()),
  )
  return texts
    .filter((element) => !['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName))
    .map((element) => {
      const style = getComputedStyle(element)
      const colour = element instanceof SVGElement ? style.fill : style.color
      const [one, two] = [luminance(colour), luminance(behind(element))].sort((a, b) => b - a)
      return [element.textContent.slice(0, 30), (one + 0.05) / (two + 0.05)]
    })
    .filter(([, contrast]) => contrast < 4.5)
}

module.exports = { faint }
