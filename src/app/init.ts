/** `gitwire init`: founds a fleet, on a remote that is named or on a local bare repository that it makes. */
import { mkdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, generateSigner } from '../../credentials/index.ts'
import { createGitRunner, DEFAULT_PREFIX, NAME, parseRemoteUrl, SyncError } from '../../sync/index.ts'
import type { Home, InitInput, InitResult } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { openStore } from '../store/index.ts'
import { openAccess, pushesPerMinute } from './access.ts'
import { readConfig } from './config.ts'
import { writeIdentityFacts } from './facts.ts'
import { createSelf, type Founder, makeRoot, pushFirstControl } from './found.ts'
import { machineFiles, makeFolders, removeState } from './home.ts'
import { storeMachineKey, storeOrchestratorKey } from './key-ring.ts'
import { syncNow } from './leading.ts'
import { openParts, random } from './open.ts'
import { alone, FOUNDING, finishFounding } from './setting-up.ts'
import { systemClock } from './system-clock.ts'

/**
 * An `init` that was killed is finished by the next one, or forgotten where its fleet never reached the remote.
 * @throws GitwireError `bad-name`, `already-exists`; SyncError when the remote cannot be used: then nothing is left behind
 */
export async function init(input: InitInput): Promise<InitResult> {
  const machine = input.machine ?? input.agent
  for (const name of [input.agent, machine]) {
    if (NAME.test(name) && name !== 'all') continue
    throw new GitwireError('bad-name', `${JSON.stringify(name)} cannot be a name`, {
      hint: 'use 1 to 40 of a-z, 0-9 and -',
    })
  }
  return alone(input.home, async () => (await finishFounding(input)) ?? (await found(input, machine)))
}

async function found(input: InitInput, machine: string): Promise<InitResult> {
  const config = readConfig(input.home, process.env)
  const embedded = input.remote === null
  const remote = input.remote ?? (await makeLocalRemote(input.home))
  const orchestrator = generateSigner()
  const founder: Founder = {
    machine,
    incarnation: Buffer.from(random(4)).toString('hex'),
    agent: input.agent,
    prefix: input.prefix ?? DEFAULT_PREFIX,
    identity: await generateIdentity({ sealing: input.sealing ?? 'hybrid' }),
    orchestrator,
    pushesPerMinute: pushesPerMinute(parseRemoteUrl(remote, { allowLocal: true })),
  }
  const { root, fleet } = makeRoot(founder)
  const files = machineFiles(input.home, fleet)
  makeFolders(files)
  try {
    storeMachineKey(files.keys, founder.identity)
    storeOrchestratorKey(files.keys, orchestrator.export())
    const access = await openAccess(files, { remote, prefix: founder.prefix, config })
    const store = openStore(files.database, Date.now)
    try {
      createSelf(store, founder, fleet, root)
      store.self.setFact('remote', remote)
      store.self.setFact(FOUNDING, 'begun')
      writeIdentityFacts(files, { fleet, machine, prefix: founder.prefix, remote })
      await pushFirstControl({ ...access, clock: systemClock, store }, founder, fleet, root)
    } finally {
      store.close()
      await access.close()
    }
  } catch (error) {
    removeState(files)
    if (embedded) rmSync(remote, { recursive: true, force: true })
    throw error
  }
  await firstCycle(input.home, fleet)
  return { fleet, machine, agent: input.agent, remote, embedded }
}

async function firstCycle(home: Home, fleet: string): Promise<void> {
  const machine = await openParts(home, fleet)
  try {
    const { error } = await syncNow(machine)
    if (error !== null)
      throw new SyncError('transient', error.message, {
        hint: `the fleet is founded; \`gitwire sync\` goes on: ${error.hint}`,
      })
  } finally {
    await machine.bells.stop()
    machine.store.close()
  }
}

/** The embedded default: a bare repository in the state folder, for machines that share this disk. */
async function makeLocalRemote(home: Home): Promise<string> {
  const parent = join(home.stateDir, 'remotes')
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  const dir = join(
    parent,
    `${hostname()
      .replace(/[^A-Za-z0-9-]/g, '-')
      .slice(0, 40)}-${Buffer.from(random(4)).toString('hex')}.git`,
  )
  const result = await createGitRunner().run({
    args: ['init', '--quiet', '--bare', '--object-format=sha1', '--', dir],
    deadlineMs: 20_000,
  })
  if (result.code !== 0) {
    throw new SyncError('local-lock', `git could not make ${dir}: ${result.stderr.toString().trim()}`, {
      hint: 'check the disk and the folder',
    })
  }
  return dir
}
