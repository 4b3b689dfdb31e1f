'use strict'

// The README's snippets: all are JavaScript, and those marked runnable do what the README says, against the emulator.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { blocksOf } = require('./support/snippets')

const root = path.join(__dirname, '..')
const reference = fs.readFileSync(path.join(root, 'docs/reference.md'), 'utf8')

const TEXTS = [
  ...['README', 'ARCHITECTURE', 'CONTRIBUTING', 'CHANGELOG', 'MIGRATION', 'TROUBLESHOOTING', 'SECURITY'].map(
    (name) => `${name}.md`,
  ),
  ...fs
    .readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...['examples/express-backend', 'model', 'reliability'].map((folder) => `${folder}/README.md`),
  '.github/pull_request_template.md',
]

const snippets = TEXTS.flatMap(blocksOf).filter(({ language }) => language === 'js')
const programs = snippets.filter(({ marks }) => marks.includes('runnable') && !marks.includes('jest'))
const suites = snippets.filter(({ marks }) => marks.includes('runnable') && marks.includes('jest'))

test('the README has a program to run, and a test', () => {
  expect(programs.length).toBeGreaterThan(0)
  expect(suites.length).toBeGreaterThan(0)
})

test.each(snippets)('the snippet "$title" is JavaScript', ({ text }) => {
  // As the body of a function or a module.
  expect(() => new vm.Script(`(async () => {${text}\n})`)).not.toThrow()
})

test.each(programs)('the program "$title" prints what the README says, and ends', ({ text, printed }) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--eval', text], {
    cwd: root,
    encoding: 'utf8',
    timeout: 25000,
  })
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toBe(printed)
})

describe.each(suites)('the test "$title"', ({ text }) => {
  // As a file of its own would be run: its `test` and `expect` are ours.
  new Function('require', 'jest', text)(require, jest)
})

// ---- the tables ----

/** The rows of a table below a heading: cells without their backticks. */
function rows(heading) {
  const [, section] = reference.split(`\n## ${heading}\n`)
  return section
    .split('\n## ')[0]
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
}

const names = (cell) => [...cell.matchAll(/`([A-Za-z.]+)(?:\([^`]*\))?`/g)].map(([, name]) => name)

/** Top-level member names of an interface in a declaration file, methods too. */
function members(file, name) {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const [, parent, body] = new RegExp(`export interface ${name}(?: extends (\\w+))? \\{\\n([\\s\\S]*?)\\n\\}`).exec(
    text,
  )
  const own = [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, member]) => member)
  return parent ? [...own, ...members(file, parent)] : own
}

test('the configuration table names every key of the manual, and no other', () => {
  const [, section] = reference.split('\n## Configuration\n')
  const named = new Set([
    ...rows('Configuration').flatMap(([, key]) => names(key)),
    // The keys that do nothing yet are told in the text below.
    ...names(section.split('\n## ')[0].split('`configure()` refuses')[1]),
  ])
  const tops = new Set([...named].map((name) => name.split('.')[0]))
  const typed = members('lib/types/configuration.d.ts', 'CalendarConfig')
  for (const key of typed) expect([key, tops.has(key)]).toEqual([key, true])
  for (const key of tops) expect([key, typed.includes(key)]).toEqual([key, true])
})

test('the table of options names every option of the manual, and no other', () => {
  const named = rows('Options of a call').flatMap(([, option]) => names(option))
  const typed = ['CreateOptions', 'UpdateOptions', 'VerifyOptions', 'WriteOptions'].flatMap((name) =>
    members('lib/types/options.d.ts', name),
  )
  expect(named.sort()).toEqual([...new Set(typed)].sort())
})

test('the table of outcomes has every outcome', () => {
  const { OUTCOMES } = require('../lib/constants')
  const told = rows('Errors').map(([, cell]) => cell.replaceAll('`', ''))
  expect(told).toEqual(expect.arrayContaining([...OUTCOMES]))
})

test('the table of methods names every method of the service', () => {
  const { CalendarService } = require('../index.js')
  const told = reference.split('\n## Methods and results\n')[1].split('\n## ')[0]
  for (const method of Object.getOwnPropertyNames(CalendarService.prototype)) {
    if (method !== 'constructor') expect(told).toContain(`\`${method}(`)
  }
})

test('every link of the texts for people leads somewhere', () => {
  const anchorOf = (heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-')
  const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8')
  const anchorsOf = (file) => [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading))
  const leads = (from, target) => {
    if (target.startsWith('https:')) return true
    const [file, anchor] = target.split('#')
    const to = file ? path.posix.join(path.posix.dirname(from), file) : from
    if (!fs.existsSync(path.join(root, to))) return false
    return anchor === undefined || anchorsOf(to).includes(anchor)
  }
  for (const file of TEXTS) {
    for (const [, target] of textOf(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      expect([file, target, leads(file, target)]).toEqual([file, target, true])
    }
  }
})

test('every command that the texts for people name is one of package.json', () => {
  const { scripts } = require('../package.json')
  const named = TEXTS.flatMap((file) =>
    [...fs.readFileSync(path.join(root, file), 'utf8').matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name]) => [
      file,
      name,
    ]),
  )
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter(([, name]) => !Object.hasOwn(scripts, name))).toEqual([])
})

test('the table of faults names every kind of the manual', () => {
  const manual = fs.readFileSync(path.join(root, 'lib/testing.d.ts'), 'utf8').split('export type Fault =')[1]
  const kinds = [...manual.split('\nexport ')[0].matchAll(/kind: '(\w+)'/g)].map(([, kind]) => kind)
  const [, section] = fs.readFileSync(path.join(root, 'docs/testing.md'), 'utf8').split('\n## Faults by name\n')
  expect([...section.split('\n## ')[0].matchAll(/^\| `(\w+)` \|/gm)].map(([, kind]) => kind)).toEqual(kinds)
})
