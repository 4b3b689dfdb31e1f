'use strict'

const path = require('node:path')

const ROOT = path.join(__dirname, '..')

/** Where cargo puts what it builds. */
const targetDir = () => path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target')

const executable = (name) => (process.platform === 'win32' ? `${name}.exe` : name)

/** The emulator's binary; `profile` is `debug` or `release`. */
const emulatorPath = (profile) => path.join(targetDir(), profile, executable('surecal-emulator'))

module.exports = { ROOT, targetDir, executable, emulatorPath }
