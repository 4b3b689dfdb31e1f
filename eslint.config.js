'use strict'

const js = require('@eslint/js')
const globals = require('globals')

module.exports = [
  { ignores: ['target/', 'node_modules/', 'native/', 'docs/api/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: globals.node },
  },
  {
    files: ['browser/**/*.js', 'examples/*/public/*.js'],
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: globals.browser },
  },
  {
    // One script, in four files: each says which names it takes from those before it and gives to those after it.
    files: ['lib/dashboard/page/*.js'],
    languageOptions: { ecmaVersion: 2022, sourceType: 'script', globals: globals.browser },
  },
  {
    files: ['__test__/**/*.js'],
    languageOptions: { globals: { ...globals.node, ...globals.jest } },
  },
  {
    // What is handed to page.evaluate runs in the page.
    files: [
      '__test__/browser.test.js',
      '__test__/dashboard_audit.test.js',
      '__test__/dashboard_browser.test.js',
      '__test__/example/browser.test.js',
      '__test__/support/faint.js',
    ],
    languageOptions: { globals: { ...globals.browser } },
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
  {
    files: ['scripts/**', 'demo/**', 'reliability/**', 'examples/**', '__test__/packed/**'],
    rules: { 'no-console': 'off' },
  },
]
