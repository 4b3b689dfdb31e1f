'use strict'

const { spawnSync } = require('node:child_process')
const path = require('node:path')

test('the types fit TypeScript callers of both module kinds and Google’s Schema$Event both ways', () => {
  const root = path.join(__dirname, '..')
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
  expect(status).toBe(0)
}, 120000)
