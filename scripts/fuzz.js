'use strict'

// `npm run fuzz`: looks for inputs that break what must hold (fuzz/src/), with libFuzzer by way of cargo-fuzz.
//
//   npm run fuzz                         every target for 60 s
//   npm run fuzz -- --seconds 600        each for that long
//   npm run fuzz -- --target compare     one of them (may be given more than once)
//
// Rust's stable compiler is enough: what it cannot do, sanitizers, finds little in code without `unsafe`.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const { parseArgs } = require('node:util')
const { ROOT, executable, targetDir } = require('./paths')
const { StepFailed, must, say, script } = require('./run')

const FUZZ = path.join(ROOT, 'fuzz')
/** Another version may take other flags. */
const CARGO_FUZZ = '0.13.2'
/** The longest input; the seeds are shorter, and what needs more is hardly found by chance. */
const INPUT_BYTES = 8192
/** A call that takes longer than this, on a clock that stands still, is at work without end. */
const INPUT_SECONDS = 25
const PROGRESS_MS = 10000

const names = fs
  .readdirSync(path.join(FUZZ, 'fuzz_targets'))
  .map((file) => path.basename(file, '.rs'))
  .sort()

function wanted() {
  const options = { seconds: { type: 'string' }, target: { type: 'string', multiple: true } }
  const { values } = parseArgs({ options })
  const seconds = Number(values.seconds ?? 60)
  if (!Number.isInteger(seconds) || seconds < 1) throw new StepFailed('--seconds must be a whole number of at least 1')
  const targets = values.target ?? names
  const unknown = targets.find((name) => !names.includes(name))
  if (unknown) throw new StepFailed(`there is no target ${unknown}; there are ${names.join(', ')}`)
  return { seconds, targets }
}

/** cargo-fuzz of the version we know: on the path, or in a folder of our own. */
async function cargoFuzz() {
  const root = path.join(targetDir(), 'tools')
  const own = path.join(root, 'bin', executable('cargo-fuzz'))
  const isRight = (command) =>
    spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `cargo-fuzz ${CARGO_FUZZ}`
  for (const command of ['cargo-fuzz', own]) if (isRight(command)) return command
  const args = ['install', '--locked', '--version', CARGO_FUZZ, '--root', root, 'cargo-fuzz']
  await must(`Installing cargo-fuzz ${CARGO_FUZZ} into ${path.relative(ROOT, root)}`, 'cargo', args)
  return own
}

/** The state of one run, as libFuzzer's lines tell it. */
class Progress {
  constructor(target) {
    Object.assign(this, { target, inputs: 0, covered: 0, kept: 0, lines: [] })
  }

  hears(line) {
    // "#4194304	pulse  cov: 3075 ft: 11064 corp: 1203/301Kb lim: 4096 exec/s: 24674 rss: 512Mb"
    const pulse = /^#(\d+)\s.*cov: (\d+) .*corp: (\d+)/.exec(line)
    if (pulse) [this.inputs, this.covered, this.kept] = pulse.slice(1).map(Number)
    else if (!line.includes('NEW_FUNC')) {
      this.lines.push(line)
      if (this.lines.length > 200) this.lines.shift()
    }
  }

  toString() {
    const { target, inputs, covered, kept } = this
    return `${target}: ${inputs} inputs, ${covered} places reached, ${kept} inputs kept`
  }
}

/** Runs one target; what it found, or nothing. */
async function fuzz(command, target, seconds, env) {
  const own = (folder) => path.join(FUZZ, folder, target)
  fs.mkdirSync(own('corpus'), { recursive: true })
  const flags = [
    `-max_total_time=${seconds}`,
    `-max_len=${INPUT_BYTES}`,
    `-timeout=${INPUT_SECONDS}`,
    `-dict=${path.join(FUZZ, 'words.dict')}`,
    '-print_final_stats=1',
  ]
  const args = ['fuzz', 'run', '--sanitizer', 'none', '--fuzz-dir', FUZZ, target, '--', ...flags]
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const progress = new Progress(target)
  readline.createInterface({ input: child.stderr }).on('line', (line) => progress.hears(line))
  const told = setInterval(() => say(String(progress)), PROGRESS_MS)
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearInterval(told)
  say(`${progress}: ${code === 0 ? 'nothing found' : 'FOUND SOMETHING'}`)
  return code === 0 ? undefined : { target, words: progress.lines.join('\n') }
}

script(async () => {
  const { seconds, targets } = wanted()
  const command = await cargoFuzz()
  // Flags of its own would rebuild everything else with each turn.
  const env = { RUST_BACKTRACE: '0', ...process.env, CARGO_TARGET_DIR: path.join(targetDir(), 'fuzz') }
  await must(
    'Building the fuzz targets (some minutes the first time)',
    command,
    ['fuzz', 'build', '--sanitizer', 'none', '--fuzz-dir', FUZZ],
    { env },
  )
  const atOnce = Math.max(1, Math.min(targets.length, os.availableParallelism()))
  const minutes = Math.ceil((Math.ceil(targets.length / atOnce) * seconds) / 60)
  say(`${targets.length} targets for ${seconds} s each, ${atOnce} at a time: about ${minutes} min`)
  const left = [...targets]
  const found = []
  const lane = async () => {
    for (let target = left.shift(); target; target = left.shift()) {
      found.push(await fuzz(command, target, seconds, env))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const bad = found.filter(Boolean)
  for (const { target, words } of bad) {
    process.stderr.write(`\n${target}\n${words}\n`)
    say(`the input is in fuzz/artifacts/${target}/; mend the code, and keep it in fuzz/corpus/${target}/ under a name`)
  }
  say(bad.length === 0 ? 'nothing found' : `found something in: ${bad.map(({ target }) => target).join(', ')}`)
  return bad.length === 0 ? 0 : 1
})
