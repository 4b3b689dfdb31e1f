'use strict'

const js = require('@eslint/js')
const globals = require('globals')

module.exports = [
  { ignores: ['target/', 'node_modules/', 'native/', 'coverage/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: globals.node },
  },
  {
    files: ['__test__/**/*.js'],
    languageOptions: { globals: { ...globals.node, ...globals.jest } },
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-shadow': 'error',
      'no-throw-literal': 'error',
      'no-promise-executor-return': 'error',
      'require-atomic-updates': 'off', // It cannot tell a local object from a shared one.
      'no-console': 'error',
      'max-lines': ['error', 600],
    },
  },
  { files: ['scripts/**', 'demo/**', 'examples/**'], rules: { 'no-console': 'off' } },
]
