'use strict'

// The program of `npm run reliability`.

const { parseArguments, WrongArguments, USAGE } = require('./arguments')

async function main(words) {
  const chosen = parseArguments(words)
  if (chosen.help) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  // Only now: --help and wrong arguments are answered also where no package is installed.
  const { contest } = require('./contest')
  return (await contest(chosen)).code
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    const wrong = error instanceof WrongArguments
    process.stderr.write(`${wrong ? error.message : error.stack}\n`)
    process.exitCode = wrong ? 2 : 1
  },
)
