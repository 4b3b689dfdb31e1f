'use strict'

// ARCHITECTURE.md's layers: a file uses its own layer or lower ones, and only the binding knows of Node.

const fs = require('node:fs')
const path = require('node:path')

const src = path.join(__dirname, '..', 'src')
const LAYERS = ['clock', 'model', 'policy', 'google', 'store', 'operation', 'service', 'binding']

const files = fs.readdirSync(src, { recursive: true }).filter((file) => file.endsWith('.rs') && file !== 'lib.rs')
const layerOf = (file) => file.split(path.sep)[0].replace(/\.rs$/, '')
/** The code without comments: there, any layer may be spoken of. */
const codeOf = (file) => fs.readFileSync(path.join(src, file), 'utf8').replaceAll(/\/\/.*$/gm, '')

test('every file under src belongs to a layer', () => {
  expect(files.length).toBeGreaterThan(LAYERS.length)
  for (const file of files) expect([file, LAYERS.includes(layerOf(file))]).toEqual([file, true])
})

test('a file uses its own layer or lower ones', () => {
  const upward = files.flatMap((file) => {
    const own = LAYERS.indexOf(layerOf(file))
    const used = [...codeOf(file).matchAll(/\bcrate::(\{[^}]*\}|\w+)/g)].flatMap(([, names]) => names.match(/\w+/g))
    return used.filter((name) => LAYERS.indexOf(name) > own).map((name) => `${file} uses ${name}`)
  })
  expect(upward).toEqual([])
})

test('napi is named in the binding alone', () => {
  const named = files.filter((file) => /\bnapi/.test(codeOf(file)))
  expect(new Set(named.map(layerOf))).toEqual(new Set(['binding']))
})
