/** What a person reads at the end of the demo. */
import { renderFields, type Screen } from '../cli/output/table.ts'
import { counted, wrap } from '../cli/output/text.ts'
import { took } from '../cli/output/time.ts'
import type { DemoReport } from './report.ts'

const INDENT = '  '

/** The last screen: what happened, the figures, where the proof lies, and what to do next. `kept` is the folder, or null. */
export function summaryText(
  report: DemoReport,
  problems: readonly string[],
  kept: string | null,
  screen: Screen,
): string {
  const width = Math.min(screen.width - INDENT.length, 96)
  const { paint } = screen
  const head =
    problems.length === 0
      ? paint('good', wrap(happened(report), width))
      : paint('bad', wrap(`Not as it should be: ${problems.join('; ')}.`, width))
  const parts = [head, renderFields(figures(report), { ...screen, width }), proof(report, kept, width), next(screen)]
  const lines = parts.join('\n\n').split('\n')
  return `\n${lines.map((line) => (line === '' ? '' : `${INDENT}${line}`)).join('\n')}\n\n`
}

function happened({ connected, sent }: DemoReport): string {
  return `${counted(connected, 'worker')} connected by themselves. ${sent} messages went both ways through git: none lost, none twice, all acknowledged.`
}

function figures(report: DemoReport): [string, string][] {
  const { credential_ms: credential, latency_ms: latency } = report
  return [
    [
      'connected',
      `${report.connected} of ${report.workers}, ${took(credential.p50)} after the credential, the slowest ${took(credential.max)}`,
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
  if (kept === null) return wrap('Nothing is left behind; --keep leaves the folders to look at.', width)
  const inside = remote_url.startsWith(`${kept}/`) ? remote_url.slice(kept.length + 1) : null
  const look = inside === null ? `git ls-remote ${remote_url}` : `git -C ${inside} log --oneline --all`
  return [
    'Kept, one folder for each machine:',
    `  cd ${kept}`,
    `  ${look}`,
    '  GITWIRE_HOME=$PWD/lead gitwire log',
  ].join('\n')
}

function next({ paint }: Screen): string {
  return [
    'Next, with two machines and an empty private repository that both may push to:',
    `  ${paint('strong', 'gitwire init --remote URL --agent lead && gitwire invite backend')}`,
    `  ${paint('strong', 'gitwire join')}   on the other machine: paste the line`,
  ].join('\n')
}
