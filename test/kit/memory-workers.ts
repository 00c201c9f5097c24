/** A fleet in one process whose workers have joined and are confirmed. */
import { type FleetMachine, type MemoryFleet, memoryFleet } from './memory-fleet.ts'

/** See the file; whoever asks closes it. */
export async function fleetWithWorkers(
  ...names: readonly string[]
): Promise<{ fleet: MemoryFleet; workers: FleetMachine[] }> {
  const fleet = await memoryFleet()
  const workers: FleetMachine[] = []
  for (const name of names) workers.push(await fleet.join(await fleet.invite(name)))
  await fleet.settle(6)
  return { fleet, workers }
}

/** As {@link fleetWithWorkers}, of one worker, `a`. */
export async function fleetWithWorker(): Promise<{ fleet: MemoryFleet; a: FleetMachine }> {
  const { fleet, workers } = await fleetWithWorkers('a')
  return { fleet, a: workers[0] as FleetMachine }
}

/** The texts of all that waits for an agent. */
export function textsOf(machine: FleetMachine, agent: string): string[] {
  return machine.bridge.receive({ agent, limit: 2000 }).messages.map(({ text }) => text)
}
