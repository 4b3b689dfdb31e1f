'use strict'

/** What has no business in a package. */
const STRAY =
  /(^|\/)(__test__|tests|target|node_modules|demo|benches|scripts|src|model|emulator|fuzz|reliability|examples|\.github|\.ci)\/|\.rs$|\.test\.|Cargo\.|\.env|\.png$/
const MOST_BYTES = 10e6

/** @param {{path: string}[]} files as `npm pack --json` lists them */
const strayIn = (files) => files.map((file) => file.path).filter((file) => STRAY.test(file))

const largeIn = (files) =>
  files
    .filter(({ size }) => size > MOST_BYTES)
    .map((file) => `${file.path} (${file.size} bytes, at most ${MOST_BYTES})`)

module.exports = { largeIn, strayIn }
