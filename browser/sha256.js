/**
 * SHA-256 (FIPS 180-4) at once: crypto.subtle answers later, and only on https pages, but a key is needed while a
 * request is being made.
 */

const PRIMES = firstPrimes(64)

/** The first 32 bits of the fractional part of a root. */
const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32)

const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
const ROUNDS = PRIMES.map((prime) => fraction(Math.cbrt(prime)))

const rotated = (word, by) => (word >>> by) | (word << (32 - by))

/**
 * @param {string} text
 * @returns {string} 64 hexadecimal digits
 */
export function sha256(text) {
  const padded = paddedBytes(new TextEncoder().encode(text))
  const hash = Uint32Array.from(START)
  const words = new Uint32Array(64)
  for (let at = 0; at < padded.byteLength; at += 64) {
    for (let index = 0; index < 16; index++) words[index] = padded.getUint32(at + index * 4)
    extend(words)
    mix(hash, words)
  }
  return Array.from(hash, (word) => word.toString(16).padStart(8, '0')).join('')
}

/** The message, a 1 bit, zeros, and the length in bits. */
function paddedBytes(bytes) {
  const view = new DataView(new ArrayBuffer(Math.ceil((bytes.length + 9) / 64) * 64))
  new Uint8Array(view.buffer).set(bytes)
  view.setUint8(bytes.length, 0x80)
  view.setBigUint64(view.byteLength - 8, BigInt(bytes.length) * 8n)
  return view
}

function extend(words) {
  for (let index = 16; index < 64; index++) {
    const early = words[index - 15]
    const late = words[index - 2]
    const small = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3)
    const large = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10)
    words[index] = words[index - 16] + small + words[index - 7] + large
  }
}

function mix(hash, words) {
  let [a, b, c, d, e, f, g, h] = hash
  for (let index = 0; index < 64; index++) {
    const choice = (e & f) ^ (~e & g)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + ROUNDS[index] + words[index]) | 0
    const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, index) => {
    hash[index] += word
  })
}

function firstPrimes(count) {
  const primes = []
  for (let number = 2; primes.length < count; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number)
  }
  return primes
}
