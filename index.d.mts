export * from './index.js'

declare const surecal: typeof import('./index.js').default
export default surecal
