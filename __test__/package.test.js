'use strict'

// What `npm pack` takes. That it can be installed and used is tried by `npm run try-package`.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { npm } = require('../scripts/pack')
const { largeIn, strayIn } = require('../scripts/package_contents')
const described = require('../package.json')

const root = path.join(__dirname, '..')
let files, names

beforeAll(() => {
  // A copy without the binaries: of a debug build's 80 MB npm would make a tarball to list them.
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-listed-'))
  const apart = new Set(
    ['node_modules', 'target', '.git', path.join('docs', 'api')].map((name) => path.join(root, name)),
  )
  const isBinary = (file) => file.endsWith('.node') || path.basename(file).startsWith('surecal-emulator')
  fs.cpSync(root, copy, { recursive: true, filter: (file) => !apart.has(file) && !isBinary(file) })
  ;[{ files }] = JSON.parse(npm(['pack', '--dry-run', '--json'], copy))
  names = files.map((file) => file.path)
  fs.rmSync(copy, { recursive: true })
})

test('the package holds no sources, tests or builds, and nothing large', () => {
  expect(strayIn(files)).toEqual([])
  expect(largeIn(files)).toEqual([])
  expect(strayIn([{ path: '__test__/package.test.js' }, { path: 'src/lib.rs' }, { path: 'lib/json.js' }])).toHaveLength(
    2,
  )
  expect(largeIn([{ path: 'native/surecal.node', size: 10_000_001 }])).toHaveLength(1)
})

test('the package holds every file that its entries and types name, and all that those need', () => {
  const entries = JSON.stringify([described.main, described.module, described.types, described.exports])
  const named = [...entries.matchAll(/"\.\/([^"]+\.\w+)"/g)].map(([, name]) => name)
  expect(names).toEqual(expect.arrayContaining(named))
  const reached = (from) => {
    const text = fs.readFileSync(path.join(root, from), 'utf8').replaceAll(/^ *\*.*$/gm, '') // no examples
    const targets = [...text.matchAll(/(?:require\(|from |import\()'(\.[^']+)'/g)].map(([, target]) => target)
    return targets.map((target) => path.posix.join(path.posix.dirname(from), target))
  }
  const code = names.filter((name) => /\.(m?js|d\.m?ts)$/.test(name) && name !== 'native/index.js')
  const ends = ['', '.js', '.d.ts', '/index.js']
  const missing = code.flatMap((from) =>
    reached(from)
      .filter((target) => !ends.some((end) => names.includes(target + end)))
      .map((target) => [from, target]),
  )
  expect(missing).toEqual([])
})

test('a clone installs without the platform packages, which are not published before it', () => {
  expect(described.optionalDependencies).toBeUndefined()
  expect(described.private).toBe(true)
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    expect(described.scripts[script]).toBeUndefined()
})
