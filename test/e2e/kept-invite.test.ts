/** Somebody kept a copy of the invite and mirrors the remote: what was sent after the key replacement stays closed. */
import { describe, expect, it } from 'vitest'
import { CredentialError, decodeInvite, inviteIdentity, openGrants } from '../../credentials/index.ts'
import { openLine, parseLine } from '../../sync/records.ts'
import { found, inboxOf, inviteLine, joinWith, makePlace, sendFrom, syncAll, withMachine } from '../kit/real-fleet.ts'
import { bytesIn, gitIn } from '../kit/real-remote.ts'
import { tempDir } from '../kit/temp.ts'

/** Every blob that was ever on the remote, with the paths it had. */
function everyBlob(mirror: string): { bytes: Buffer; paths: string[] }[] {
  const paths = new Map<string, Set<string>>()
  for (const line of gitIn(mirror, ['rev-list', '--all', '--objects']).split('\n')) {
    const [oid = '', path = ''] = line.split(' ')
    paths.set(oid, (paths.get(oid) ?? new Set()).add(path))
  }
  const all = gitIn(mirror, ['cat-file', '--batch-all-objects', '--batch-check']).split('\n')
  const blobs = all.filter((line) => line.includes(' blob ')).map((line) => line.slice(0, 40))
  return blobs.map((oid) => ({ bytes: bytesIn(mirror, ['cat-file', 'blob', oid]), paths: [...(paths.get(oid) ?? [])] }))
}

/** All that the invite's keys open in a mirror: epoch keys first, then every line with every key. */
async function openedWith(line: string, mirror: string): Promise<{ keys: number; texts: string[] }> {
  const invite = decodeInvite(line)
  const thief = await inviteIdentity(invite)
  const blobs = everyBlob(mirror)
  const keys: Uint8Array[] = []
  const machines = ['lead', 'backend', 'frontend']
  for (const { bytes, paths } of blobs.filter(({ bytes }) => bytes.toString('latin1').startsWith('age-encryption'))) {
    for (const path of paths) {
      const place = { fleet: invite.fleet, machine: path.split('/')[1] ?? '', path }
      const grants = await openGrants(thief, bytes, place).catch((error: unknown) => {
        if (error instanceof CredentialError) return []
        throw error
      })
      for (const grant of grants) for (const epoch of grant.epochs.values()) keys.push(...epoch)
    }
  }
  const lines = blobs.flatMap(({ bytes }) => bytes.toString('utf8').split('\n')).map(parseLine)
  const raw = lines.filter((parsed) => parsed !== null)
  const texts = raw.flatMap((parsed) =>
    machines.flatMap((machine) => keys.map((key) => openLine({ fleet: invite.fleet, machine }, key, parsed))),
  )
  return { keys: keys.length, texts: texts.filter((text) => text !== null) }
}

describe('a kept invite and a mirror of the remote', () => {
  it('open what was sent before the key replacement and nothing after it, in no object', async () => {
    const folder = tempDir('gitwire-kept')
    const [lead, backend, frontend] = ['lead', 'backend', 'frontend'].map((name) => makePlace(folder, name)) as [
      ReturnType<typeof makePlace>,
      ReturnType<typeof makePlace>,
      ReturnType<typeof makePlace>,
    ]
    const { remote } = await found(lead)
    const line = await inviteLine(lead, 'backend')
    await joinWith(backend, line)
    await sendFrom(backend, 'lead', 'BEFORE the replacement')
    await syncAll(backend)
    const early = await openedWith(line, remote)
    expect(early.keys).toBeGreaterThan(0)
    expect(early.texts.join()).toContain('BEFORE the replacement')

    await joinWith(frontend, await inviteLine(lead, 'frontend'))
    await syncAll(lead, backend, frontend, lead)
    await withMachine(lead, ({ bridge }) => {
      bridge.createConversation({ agent: 'lead', with: ['backend', 'frontend'] })
      bridge.send({ agent: 'lead', to: 'backend', text: 'AFTER: from lead' })
    })
    await sendFrom(backend, 'lead', 'AFTER: from backend')
    await syncAll(lead, backend, frontend, lead)
    await sendFrom(frontend, 'backend', 'AFTER: from frontend')
    await syncAll(frontend, backend, lead)
    expect((await inboxOf(backend)).map(({ text }) => text).sort()).toEqual([
      'AFTER: from frontend',
      'AFTER: from lead',
    ])
    await syncAll(backend, lead)

    const mirror = tempDir('gitwire-mirror')
    gitIn(remote, ['clone', '-q', '--mirror', '--no-local', '--', remote, mirror])
    for (const dir of [mirror, remote]) {
      const { keys, texts } = await openedWith(line, dir)
      expect(keys).toBe(early.keys)
      expect(texts.join()).toContain('BEFORE the replacement')
      expect(texts.join()).not.toContain('AFTER')
      const clear = everyBlob(dir).filter(({ bytes }) => /AFTER|BEFORE the/.test(bytes.toString('latin1')))
      expect(clear).toEqual([])
    }
  })
})
