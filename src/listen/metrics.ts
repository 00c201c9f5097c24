/**
 * What `/metrics` says, in Prometheus text. States are read from the machine's status when somebody asks, so they are
 * those of the machine whichever of its processes leads; cycles and doorbells are counted by this process.
 * Labels are names of machines, faces and codes: never a text that somebody wrote, never a secret.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CycleSummary, MachineReadings } from '../app-types.ts'
import type { FleetStatus } from '../bridge/types.ts'

/** What a scrape reads. */
export interface MetricsSource {
  fleet(): FleetStatus
  readings(): Promise<MachineReadings>
  /** Milliseconds since 1970. */
  now(): number
}

/** The metrics of one process. */
export interface Metrics {
  readonly contentType: string
  /** Counts a cycle that this process ran. */
  cycle(summary: CycleSummary): void
  /** Counts a request at a door: `rang`, or why it was refused. */
  request(door: string, result: string): void
  /** Reads the machine and writes the page. */
  page(): Promise<string>
}

const CYCLE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45]

/** Makes the metrics of this process; nothing is read until a page is asked for. */
export function createMetrics(source: MetricsSource): Metrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  const cycles = new Counter({
    name: 'gitwire_cycles_total',
    help: 'Cycles run by this process; result is ok or the code of the error.',
    labelNames: ['result'],
    registers,
  })
  const seconds = new Histogram({
    name: 'gitwire_cycle_seconds',
    help: 'How long cycles of this process took.',
    buckets: CYCLE_SECONDS,
    registers,
  })
  const requests = new Counter({
    name: 'gitwire_doorbell_requests_total',
    help: 'Requests at a doorbell of this process; result is rang or why it was refused.',
    labelNames: ['door', 'result'],
    registers,
  })
  const states = createStates(registers)
  return {
    contentType: registry.contentType,
    cycle(summary) {
      cycles.inc({ result: summary.error?.code ?? 'ok' })
      seconds.observe(summary.ms / 1000)
    },
    request: (door, result) => requests.inc({ door, result }),
    async page() {
      states.set(source.fleet(), await source.readings(), source.now())
      return registry.metrics()
    },
  }
}

const GAUGES = {
  last_success_age_seconds: 'Time since the last cycle that succeeded; NaN before the first.',
  outbox_rows: 'Rows that were not pushed yet.',
  outbox_oldest_age_seconds: 'Age of the oldest message that was not pushed yet; 0 when there is none.',
  held_lines: 'Received lines that wait for a key or for newer control.',
  quarantined: 'Entries of rejected input.',
  closed_refs: 'Refs of other machines that are set aside.',
  control_number: 'The number of the control that is applied here.',
  control_age_seconds: 'Time since that control was signed, by the clock of its signer; NaN before the first.',
  stopped: '1 while the fleet is stopped.',
  cache_bytes: 'Size of the private repository.',
} as const

const TOTALS = {
  pushes: 'Pushes that the remote took, since the database was made.',
  rejected_pushes: 'Pushes that the remote refused, since the database was made.',
} as const

type Names<T> = keyof T & string

function createStates(registers: Registry[]): {
  set(fleet: FleetStatus, readings: MachineReadings, now: number): void
} {
  const gauges = new Map(
    Object.entries(GAUGES).map(([name, help]) => [name, new Gauge({ name: `gitwire_${name}`, help, registers })]),
  )
  const totals = new Map(
    Object.entries(TOTALS).map(([name, help]) => [
      name,
      new Counter({ name: `gitwire_${name}_total`, help, registers }),
    ]),
  )
  const leader = new Gauge({
    name: 'gitwire_leader',
    help: 'Which process of this machine syncs, by its face; mine is 1 where it is this one.',
    labelNames: ['face', 'mine'],
    registers,
  })
  const silence = new Gauge({
    name: 'gitwire_peer_silence_seconds',
    help: 'Time since the number of another machine last moved here.',
    labelNames: ['machine'],
    registers,
  })
  const gauge = (name: Names<typeof GAUGES>, value: number) => gauges.get(name)?.set(value)
  // A total of the database is not this process's to count up: it is set to what is there.
  const total = (name: Names<typeof TOTALS>, value: number) => {
    totals.get(name)?.reset()
    totals.get(name)?.inc(value)
  }
  return {
    set(fleet, readings, now) {
      const { sync, outbox } = fleet
      const age = (at: number | null, none: number) => (at === null ? none : Math.max(0, now - at) / 1000)
      gauge('last_success_age_seconds', age(sync.lastSuccessAt, Number.NaN))
      gauge('outbox_rows', outbox.rows)
      gauge('outbox_oldest_age_seconds', age(outbox.oldestAt, 0))
      gauge('held_lines', fleet.held)
      gauge('quarantined', fleet.quarantined)
      gauge('closed_refs', fleet.closedRefs.length)
      gauge('control_number', fleet.control)
      gauge('control_age_seconds', age(readings.controlIssuedAt, Number.NaN))
      gauge('stopped', fleet.stopped === null ? 0 : 1)
      gauge('cache_bytes', readings.cacheBytes)
      total('pushes', sync.pushes)
      total('rejected_pushes', sync.rejectedPushes)
      leader.reset()
      if (sync.leader !== null)
        leader.set({ face: sync.leader.face, mine: sync.leader.pid === process.pid ? '1' : '0' }, 1)
      // Machines come and go; a series of one that left would stay at its last value.
      silence.reset()
      for (const { machine, heardAt } of fleet.agents)
        if (machine !== fleet.machine && heardAt !== null) silence.set({ machine }, age(heardAt, 0))
    },
  }
}
