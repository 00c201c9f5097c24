/** What a person reads at the end of the demo. */
import { renderFields, type Screen } from '../cli/output/table.ts'
import { counted, wrap } from '../cli/output/text.ts'
import { took } from '../cli/output/time.ts'
import type { DemoReport } from './report.ts'

/** The last screen: what happened, the figures, where the proof lies, and what to do next. `kept` is the folder, or null. */
export function summaryText(
  report: DemoReport,
  problems: readonly string[],
  kept: string | null,
  screen: Screen,
): string {
  const width = Math.min(screen.width, 100)
  const { paint } = screen
  const head =
    problems.length === 0
      ? paint('good', wrap(happened(report), width))
      : paint('bad', wrap(`Not as it should be: ${problems.join('; ')}.`, width))
  const parts = [head, renderFields(figures(report), screen), proof(report, kept, width), next(screen)]
  return `${parts.join('\n\n')}\n`
}

function happened({ connected, sent }: DemoReport): string {
  return `${counted(connected, 'worker')} connected by themselves. ${sent} messages went both ways through git: none lost, none twice, all acknowledged.`
}

function figures(report: DemoReport): [string, string][] {
  const { credential_ms: credential, latency_ms: latency } = report
  return [
    [
      'connected',
      `${report.connected} of ${report.workers}, ${took(credential.p50)} after the commit of the credential, the slowest ${took(credential.max)}`,
    ],
    [
      'messages',
      `${report.sent} sent, ${report.delivered} delivered, ${report.duplicates} twice, ${report.receipts_acked} receipts back`,
    ],
    ['latency', `half within ${took(latency.p50)}, 95 % within ${took(latency.p95)}, the slowest ${took(latency.max)}`],
    ['pushes', `${report.pushes}, ${report.rejected_pushes} rejected`],
    [
      'secrets',
      `${report.secrets_searched} looked for in ${counted(report.objects_searched, 'object')} of the remote: ${report.plaintext_hits} found`,
    ],
    ['schedule', `every ${took(report.interval_ms)} when nobody talks; doorbells do the rest`],
    ['took', `${took(report.duration_s * 1000)} with ${report.pids.length} processes that stayed`],
  ]
}

function proof({ remote_url }: DemoReport, kept: string | null, width: number): string {
  if (kept === null) return wrap('Nothing is left behind. --keep leaves the folders to look at.', width)
  return [
    `Everything is in ${kept}, one folder for each machine:`,
    `  git -C ${remote_url} log --oneline --all`,
    `  GITWIRE_HOME=${kept}/lead gitwire log`,
  ].join('\n')
}

function next({ paint }: Screen): string {
  return [
    'Next, with two machines and an empty private repository that both may push to:',
    `  ${paint('strong', 'gitwire init --remote URL --agent lead && gitwire invite backend')}`,
    `  ${paint('strong', 'gitwire join')}   on the other machine: paste the line`,
  ].join('\n')
}
