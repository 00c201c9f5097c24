/** The figures of a demo, and whether everything is as it should be. */

/** What `gitwire demo --json` ends with, on one line. */
export interface DemoReport {
  /** True when {@link problemsOf} finds nothing. */
  readonly ok: boolean
  readonly workers: number
  readonly connected: number
  /** From the signing of the control that carries a worker's credential until the worker was connected (decision 050). */
  readonly credential_ms: { readonly p50: number; readonly max: number }
  readonly sent: number
  /** Counted at the receivers, as are `duplicates` and `strangers`. */
  readonly delivered: number
  readonly duplicates: number
  /** Bodies that nobody had sent to whom they came. */
  readonly strangers: number
  readonly pushes: number
  readonly rejected_pushes: number
  /** From stored at the sender until the body was returned at the receiver. */
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly max: number }
  /** Messages whose sender has learnt that they are acknowledged. */
  readonly receipts_acked: number
  readonly plaintext_hits: number
  /** True when the same search found known ciphertext. */
  readonly search_works: boolean
  readonly secrets_searched: number
  readonly objects_searched: number
  /** The product's base interval. */
  readonly interval_ms: number
  /** Of the processes that stayed: the orchestrator's `serve` and one MCP server for each machine. */
  readonly pids: readonly number[]
  readonly remote_url: string
  readonly duration_s: number
}

/** What is not as it should be, in words; empty when all is well. */
export function problemsOf(report: Omit<DemoReport, 'ok'>): string[] {
  const problems: string[] = []
  const { workers, connected, sent, delivered } = report
  if (connected < workers) problems.push(`${workers - connected} of ${workers} workers did not connect`)
  if (delivered !== sent) problems.push(`${sent - delivered} of ${sent} messages were not delivered`)
  if (report.duplicates > 0) problems.push(`${report.duplicates} messages were delivered twice`)
  if (report.strangers > 0) problems.push(`${report.strangers} messages came that nobody had sent there`)
  if (report.rejected_pushes > 0) problems.push(`${report.rejected_pushes} pushes were rejected`)
  if (report.receipts_acked !== sent) problems.push(`${sent - report.receipts_acked} receipts are missing`)
  if (report.plaintext_hits > 0) problems.push(`secrets stand on the remote ${report.plaintext_hits} times`)
  if (!report.search_works) problems.push('the search for secrets did not find what it must find')
  return problems
}

/** The value below which `share` (0 to 1) of the values lie, by nearest rank; 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = Math.max(0, Math.ceil(share * sorted.length) - 1)
  return Math.round(sorted[rank] ?? 0)
}
