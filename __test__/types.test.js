'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')

test('the types fit TypeScript callers of both module kinds and Google’s Schema$Event both ways', () => {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
  expect(status).toBe(0)
}, 120000)

test('no file of the manual is too long to be read', () => {
  const parts = fs.readdirSync(path.join(root, 'lib'), { recursive: true }).map((file) => path.join('lib', file))
  const manual = ['index.d.ts', ...parts.filter((file) => file.endsWith('.d.ts'))]
  expect(manual.length).toBeGreaterThan(10)
  for (const file of manual) {
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n').length
    expect([file, lines > 600]).toEqual([file, false])
  }
})
