'use strict'

// MIGRATION.md as a program: its files, moves and snippets, step by step.

const fs = require('node:fs')
const path = require('node:path')

const ROOT = path.join(__dirname, '..', '..')
const text = fs.readFileSync(path.join(ROOT, 'MIGRATION.md'), 'utf8')

/** Fenced blocks: `language`, `marks` (`file=…`, `live`, `rollback=…`), `text`. */
const blocksOf = (section) =>
  [...section.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```\n/gm)].map(([, language, marks, body]) => ({
    language,
    marks: Object.fromEntries(
      marks
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map((mark) => mark.split('=')),
    ),
    text: body,
  }))

const blocks = blocksOf(text)

/** The sections `## Step N: …`, in order. */
const steps = text
  .split(/^## /m)
  .filter((section) => section.startsWith('Step '))
  .map((section) => ({ title: section.split('\n')[0], blocks: blocksOf(section) }))

/** The snippet marked `rollback=name`, as an async function of the service. */
function rollback(name) {
  const { text: body } = blocks.find(({ marks }) => marks.rollback === name)
  return new Function('service', `return (async () => {${body}\n})()`)
}

/** What a step does to the files of a backend: `folder` holds `backend/`. */
function applyStep(folder, step) {
  for (const { language, marks, text: body } of step.blocks) {
    if (marks.file) fs.writeFileSync(path.join(folder, marks.file), body)
    if (language !== 'sh') continue
    for (const line of body.trim().split('\n')) {
      const [git, verb, from, to] = line.split(' ')
      if (git === 'git' && verb === 'mv') fs.renameSync(path.join(folder, from), path.join(folder, to))
      else if (git === 'git' && verb === 'rm') fs.rmSync(path.join(folder, from))
      else throw new Error(`MIGRATION.md: cannot run ${line}`)
    }
  }
}

module.exports = { ROOT, blocks, steps, rollback, applyStep }
