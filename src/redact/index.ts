/** The one door to redaction. */
export { openRedactor, type Redactor } from './redactor.ts'
export type { Finding, Redaction } from './types.ts'
