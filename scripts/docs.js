'use strict'

// `npm run docs`: pages of the API in docs/api, from the declaration files, which are the manual. It fails if one of their
// exported names or members is missing there, or a link in a comment leads nowhere.
//
// TypeDoc wants an older TypeScript than this repository checks its types with, so both are installed beside the build.

const fs = require('node:fs')
const path = require('node:path')
const { npm } = require('./pack')
const { ROOT, targetDir } = require('./paths')
const { StepFailed, must, say, script } = require('./run')

const TOOLS = ['typedoc@0.28.20', 'typescript@6.0.3']
const ENTRIES = ['index.d.ts', 'lib/testing.d.ts', 'lib/migrate.d.ts', 'browser/index.d.ts']
const OUT = path.join('docs', 'api')

function typedoc() {
  const folder = path.join(targetDir(), 'tools', 'docs')
  const installed = (tool) => {
    const [name, version] = tool.split('@')
    const file = path.join(folder, 'node_modules', name, 'package.json')
    return fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')).version === version
  }
  if (!TOOLS.every(installed)) {
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    npm(['install', '--no-audit', '--no-fund', '--save-exact', ...TOOLS], folder)
  }
  return path.join(folder, 'node_modules', 'typedoc', 'bin', 'typedoc')
}

/** What the declaration files of `folder` export by name: `export interface X`, `export const x`, … */
function exportedNames() {
  const types = fs.readdirSync(path.join(ROOT, 'lib', 'types')).map((name) => path.join('lib', 'types', name))
  const exported = /^export (?:declare )?(?:interface|type|class|const|function) (\w+)/gm
  return [...ENTRIES, ...types].flatMap((file) =>
    [...fs.readFileSync(path.join(ROOT, file), 'utf8').matchAll(exported)].map(([, name]) => name),
  )
}

/** All names of TypeDoc's own model. */
function documentedNames(node, names = new Set()) {
  names.add(node.name)
  for (const child of node.children ?? []) documentedNames(child, names)
  return names
}

script(async () => {
  const model = path.join(targetDir(), 'tools', 'docs', 'api.json')
  const options = [
    '--out',
    OUT,
    '--json',
    model,
    '--name',
    'surecal',
    '--readme',
    'docs/reference.md',
    '--includeVersion',
  ]
  const checks = ['--treatWarningsAsErrors', '--excludeExternals', '--disableSources', '--hideGenerator']
  await must('API reference', process.execPath, [
    typedoc(),
    ...['--tsconfig', 'tsconfig.docs.json', '--entryPoints', ...ENTRIES],
    ...options,
    ...checks,
  ])
  const documented = documentedNames(JSON.parse(fs.readFileSync(model, 'utf8')))
  const names = [...new Set(exportedNames())]
  const missing = names.filter((name) => !documented.has(name))
  if (missing.length > 0) throw new StepFailed(`The API reference does not have ${missing.join(', ')}.`)
  say(`the API reference is in ${OUT}: all ${names.length} exported names are there`)
})
