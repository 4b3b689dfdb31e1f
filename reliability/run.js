'use strict'

// The program of `npm run reliability`.

const known = require('./arguments')
const { program } = require('../demo/command_line')

program(known, async (chosen) => {
  const { contest } = require('./contest')
  return (await contest(chosen)).code
})
