'use strict'

// The fenced blocks of the texts for people.

const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '../..')

/**
 * @param {string} file from the repository's root
 * @returns {{language: string, marks: string[], text: string, title: string, printed?: string}[]} the words after the fence, the
 *   text, its first line with a word, and the `text` block that follows, if one does
 */
function blocksOf(file) {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```\n/gm)].map(([, language, marks, body], at, all) => ({
    language,
    marks: marks.trim().split(/\s+/).filter(Boolean),
    text: body,
    title: `${file}: ${body.split('\n').find((line) => /\w/.test(line))}`,
    printed: all[at + 1]?.[1] === 'text' ? all[at + 1][3] : undefined,
  }))
}

module.exports = { blocksOf }
