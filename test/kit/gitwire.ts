/**
 * The command line from the sources, as a process: `bin/gitwire.mjs` prefers `dist/`, which may be older than what a test
 * is about. `test/bin.test.ts` is about the bin.
 */
import { main } from '../../src/cli/main.ts'

process.exitCode = await main(process.argv.slice(2))
