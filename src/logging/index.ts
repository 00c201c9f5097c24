/** The one door to the log. */
export { LOG_LEVELS, type Log, type LogLevel, type LogTarget, logTarget, NO_LOG, openLog } from './log.ts'
export { scrub, scrubText } from './scrub.ts'
