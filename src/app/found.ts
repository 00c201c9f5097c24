/** Founding a fleet: the first root, the first control, the orchestrator's own machine. */
import { createRoot, type MachineIdentity, type Signer, verifyRoots } from '../../credentials/index.ts'
import {
  type Clock,
  controlRef,
  freshSelf,
  type Oid,
  type Remote,
  type Repository,
  SyncError,
  signControl,
} from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { Store } from '../store/index.ts'

/** The founder's names and keys. */
export interface Founder {
  readonly machine: string
  readonly incarnation: string
  readonly agent: string
  readonly prefix: string
  readonly identity: MachineIdentity
  readonly orchestrator: Signer
  /** What the host allows, for the control policy; null where nobody counts. */
  readonly pushesPerMinute?: number | null
}

/** A first root: its bytes and the fleet id that follows from them. */
export function makeRoot(founder: Pick<Founder, 'machine' | 'orchestrator'>): { root: Uint8Array; fleet: string } {
  const { machine, orchestrator } = founder
  const root = createRoot({
    i: 1,
    keys: { [machine]: orchestrator.publicKey },
    threshold: 1,
    signers: [{ name: machine, signer: orchestrator }],
  })
  return { root, fleet: verifyRoots([root]).fleet }
}

/** Writes the founder's own state; nothing is on the remote yet, and a crash leaves a machine that must found again. */
export function createSelf(store: Store, founder: Founder, fleet: string, root: Uint8Array): void {
  store.transaction(() => {
    const { machine, incarnation, prefix } = founder
    store.self.create(freshSelf({ fleet, machine, incarnation, prefix }))
    store.self.addAgent(founder.agent)
    store.control.saveRoots([root])
  })
}

/**
 * Creates control on an unused remote.
 * @throws GitwireError `already-exists` when a fleet is there already
 */
export async function pushFirstControl(
  ports: { readonly remote: Remote; readonly repository: Repository; readonly clock: Clock; readonly store: Store },
  founder: Founder,
  fleet: string,
  root: Uint8Array,
): Promise<Oid> {
  const ref = controlRef(founder.prefix)
  if ((await ports.remote.list([])).has(ref)) throw fleetThere(ports.remote.url)
  const { files } = signControl(
    {
      fleet,
      n: 1,
      issuedAt: ports.clock.wallMs(),
      lead: founder.machine,
      policy: typeof founder.pushesPerMinute === 'number' ? { pushes_per_minute: founder.pushesPerMinute } : {},
      orchestrators: [founder.machine],
      done: {},
      machines: new Map([
        [
          founder.machine,
          {
            keys: founder.identity.public,
            incarnation: founder.incarnation,
            agents: { [founder.agent]: { role: 'orchestrator' } },
            status: 'active',
          },
        ],
      ]),
      conversations: new Map(),
    },
    new Map(),
    new Map([['roots/1', root]]),
    { machine: founder.machine, signer: founder.orchestrator },
  )
  ports.store.control.saveSigned(1)
  const oid = await ports.repository.commit({ parent: null, puts: files })
  const outcome = await ports.remote.push({ ref, oid, expected: null })
  if (outcome === 'refused') throw fleetThere(ports.remote.url)
  if (outcome === 'unknown' && (await ports.remote.list([])).get(ref) !== oid) {
    throw new SyncError('transient', `the push to ${ports.remote.url} was cut off`, { hint: 'run the command again' })
  }
  return oid
}

function fleetThere(url: string): GitwireError {
  return new GitwireError('already-exists', `${url} already carries a fleet`, {
    hint: 'join it with an invite, or use an empty repository',
  })
}
