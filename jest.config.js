'use strict'

module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/__test__/**/*.test.js'],
  globalSetup: '<rootDir>/scripts/jest_setup.js',
  modulePathIgnorePatterns: ['<rootDir>/target/', '<rootDir>/native/.*\\.node$'],
  moduleNameMapper: {
    '^surecal$': '<rootDir>/index.js',
    '^surecal/migrate$': '<rootDir>/lib/migrate.js',
    '^surecal/testing$': '<rootDir>/lib/testing.js',
  },
  // Deadlines of 10 s are part of what is tested.
  testTimeout: 30000,
  // Tests that wait for a deadline wait together.
  maxConcurrency: 20,
  // Most of the time is waiting, not work.
  maxWorkers: 3,
}
